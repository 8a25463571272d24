from whatsapp_flows.builder import (
    CheckboxGroup,
    Complete,
    Data,
    DatePicker,
    Dropdown,
    Flow,
    Footer,
    Navigate,
    OptIn,
    Option,
    RadioButtonsGroup,
    Screen,
    Switch,
    TextArea,
    TextBody,
    TextHeading,
    TextInput,
)

goal = RadioButtonsGroup(
    name="goal",
    data_source=[
        Option(id="outages", title="No more outages"),
        Option(id="fuel", title="Less fuel for the generator"),
        Option(id="bills", title="A lower electricity bill"),
    ],
    label="Your main goal",
    required=True,
)
sources = CheckboxGroup(
    name="sources",
    data_source=[
        Option(id="grid", title="The grid"),
        Option(id="generator", title="A generator"),
        Option(id="solar", title="Solar panels"),
        Option(id="battery", title="Inverter and batteries"),
    ],
    label="What do you use today?",
    required=True,
    min_selected_items=1,
)
sources_screen = Screen(
    id="SOURCES",
    title="Your power today",
    children=[
        TextHeading(text="Plan your hybrid power system"),
        TextBody(
            text="A hybrid system joins solar panels, batteries and the grid or a generator, and always picks the cheapest source.",
        ),
        sources,
        goal,
        Footer(
            label="Continue",
            on_click_action=Navigate("DEMAND", {"sources": sources, "goal": goal}),
        ),
    ],
)
sources_data = Data(name="sources", example=["grid"])
goal_data = Data(name="goal", example="outages")
monthly_kwh = TextInput(
    name="monthly_kwh",
    label="Use per month, kWh",
    input_type="number",
    helper_text="Printed on your bill; enter 0 if you do not know it",
    required=True,
    max_chars=6,
)
outage_hours = Dropdown(
    name="outage_hours",
    label="Outages per day",
    data_source=[
        Option(id="rare", title="Hardly any"),
        Option(id="up_to_4", title="Up to 4 hours"),
        Option(id="up_to_12", title="4 to 12 hours"),
        Option(id="over_12", title="More than 12 hours"),
    ],
    required=True,
)
demand = Screen(
    id="DEMAND",
    title="Your consumption",
    data=[sources_data, goal_data],
    children=[
        outage_hours,
        monthly_kwh,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "STORAGE",
                {
                    "sources": sources_data,
                    "goal": goal_data,
                    "outage_hours": outage_hours,
                },
            ),
        ),
    ],
)
sources_storage = Data(name="sources", example=["grid"])
goal_storage = Data(name="goal", example="outages")
outage_hours_data = Data(name="outage_hours", example="rare")
generator = RadioButtonsGroup(
    name="generator",
    data_source=[
        Option(id="automatic", title="Yes, starting by itself"),
        Option(id="manual", title="Yes, started by hand"),
        Option(id="none", title="No generator"),
    ],
    label="Should a generator help?",
    required=True,
)
backup_hours = Dropdown(
    name="backup_hours",
    label="Battery lasts for",
    data_source=[
        Option(id="4_hours", title="4 hours"),
        Option(id="8_hours", title="8 hours"),
        Option(id="12_hours", title="12 hours"),
        Option(id="24_hours", title="A full day"),
    ],
    required=True,
)
storage = Screen(
    id="STORAGE",
    title="Batteries and generator",
    data=[sources_storage, goal_storage, outage_hours_data],
    children=[
        backup_hours,
        generator,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "BOOKING",
                {
                    "sources": sources_storage,
                    "goal": goal_storage,
                    "outage_hours": outage_hours_data,
                    "backup_hours": backup_hours,
                    "generator": generator,
                },
            ),
        ),
    ],
)
sources_booking = Data(name="sources", example=["grid"])
goal_booking = Data(name="goal", example="outages")
outage_hours_booking = Data(name="outage_hours", example="rare")
backup_hours_data = Data(name="backup_hours", example="4_hours")
generator_data = Data(name="generator", example="automatic")
contact_consent = OptIn(
    name="contact_consent",
    label="You may contact me about this",
    required=True,
)
site_address = TextArea(
    name="site_address",
    label="Site address",
    helper_text="Street, house number, town and a landmark nearby",
    required=True,
    max_length=300,
)
full_name = TextInput(
    name="full_name",
    label="Full name",
    required=True,
    min_chars=2,
    max_chars=60,
)
visit_date = DatePicker(
    name="visit_date",
    label="Preferred date",
    helper_text="Choose a day at least three working days from now",
    required=True,
)
booking = Screen(
    id="BOOKING",
    title="Book your site visit",
    data=[
        sources_booking,
        goal_booking,
        outage_hours_booking,
        backup_hours_data,
        generator_data,
    ],
    terminal=True,
    success=True,
    children=[
        Switch(
            value=goal_booking,
            cases={
                "outages": [
                    TextBody(
                        text="Our engineer measures your most important loads and shows you which batteries carry them.",
                    ),
                ],
                "fuel": [
                    TextBody(
                        text="Our engineer checks your generator and works out how much fuel you can save.",
                    ),
                ],
                "bills": [
                    TextBody(
                        text="Our engineer reviews your bills and works out how fast the system pays for itself.",
                    ),
                ],
            },
        ),
        visit_date,
        full_name,
        site_address,
        contact_consent,
        Footer(
            label="Send request",
            on_click_action=Complete(
                {
                    "sources": sources_booking,
                    "goal": goal_booking,
                    "outage_hours": outage_hours_booking,
                    "monthly_kwh": monthly_kwh,
                    "backup_hours": backup_hours_data,
                    "generator": generator_data,
                    "visit_date": visit_date,
                    "full_name": full_name,
                    "site_address": site_address,
                    "contact_consent": contact_consent,
                },
            ),
        ),
    ],
)
flow = Flow(version="7.3", screens=[sources_screen, demand, storage, booking])
