from whatsapp_flows.builder import (
    CheckboxGroup,
    Complete,
    Data,
    DatePicker,
    Dropdown,
    Flow,
    Footer,
    If,
    Navigate,
    OptIn,
    Option,
    RadioButtonsGroup,
    Screen,
    TextArea,
    TextBody,
    TextCaption,
    TextHeading,
    TextInput,
    text,
)

welcome = Screen(
    id="WELCOME",
    title="Solar installation",
    children=[
        TextHeading(text="Request your solar installation"),
        TextBody(
            text="Tell us about your property and your electricity use. It takes about four minutes. Keep a recent electricity bill at hand: we size your system from it.",
        ),
        TextCaption(
            text="The request is free and binds you to nothing. You receive a written quote after the site visit.",
        ),
        Footer(label="Start", on_click_action=Navigate("PROPERTY")),
    ],
)
property_ = RadioButtonsGroup(
    name="property",
    data_source=[
        Option(id="home", title="House or apartment"),
        Option(id="business", title="Shop, office or school"),
        Option(id="farm", title="Farm or workshop"),
    ],
    label="Type of property",
    required=True,
)
property_screen = Screen(
    id="PROPERTY",
    title="Your property",
    children=[
        property_,
        Footer(
            label="Continue",
            on_click_action=Navigate("ROOF", {"property": property_}),
        ),
    ],
)
property_data = Data(name="property", example="home")
shade = RadioButtonsGroup(
    name="shade",
    data_source=[
        Option(id="none", title="Full sun all day"),
        Option(id="partial", title="Shaded part of the day"),
        Option(id="heavy", title="Shaded most of the day"),
    ],
    label="Shade on the roof",
    required=True,
)
roof = Dropdown(
    name="roof",
    label="Roof covering",
    data_source=[
        Option(id="metal", title="Metal sheets"),
        Option(id="tiles", title="Clay or concrete tiles"),
        Option(id="flat", title="Flat concrete roof"),
        Option(id="ground", title="Mount on the ground instead"),
    ],
    required=True,
)
roof_screen = Screen(
    id="ROOF",
    title="Your roof",
    data=[property_data],
    children=[
        roof,
        shade,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "ENERGY",
                {"property": property_data, "roof": roof, "shade": shade},
            ),
        ),
    ],
)
property_energy = Data(name="property", example="home")
roof_data = Data(name="roof", example="metal")
shade_data = Data(name="shade", example="none")
monthly_bill = TextInput(
    name="monthly_bill",
    label="Monthly cost",
    input_type="number",
    helper_text="Average electricity bill or fuel cost, in your local currency",
    required=True,
    max_chars=9,
)
energy = Screen(
    id="ENERGY",
    title="Your electricity use",
    data=[property_energy, roof_data, shade_data],
    children=[
        monthly_bill,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "SYSTEM",
                {"property": property_energy, "roof": roof_data, "shade": shade_data},
            ),
        ),
    ],
)
property_system = Data(name="property", example="home")
roof_system = Data(name="roof", example="metal")
shade_system = Data(name="shade", example="none")
loads = CheckboxGroup(
    name="loads",
    data_source=[
        Option(id="lights", title="Lights and sockets"),
        Option(id="fridge", title="Fridge and freezer"),
        Option(id="pump", title="Water pump"),
        Option(id="cooling", title="Air conditioning"),
    ],
    label="What must always run?",
    required=True,
    min_selected_items=1,
)
goal = RadioButtonsGroup(
    name="goal",
    data_source=[
        Option(id="savings", title="A lower electricity bill"),
        Option(id="backup", title="Power during outages"),
        Option(id="off_grid", title="Living without the grid"),
    ],
    label="What matters most to you?",
    required=True,
)
system = Screen(
    id="SYSTEM",
    title="Your new system",
    data=[property_system, roof_system, shade_system],
    children=[
        goal,
        loads,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "VISIT",
                {
                    "property": property_system,
                    "roof": roof_system,
                    "shade": shade_system,
                    "goal": goal,
                    "loads": loads,
                },
            ),
        ),
    ],
)
property_visit = Data(name="property", example="home")
roof_visit = Data(name="roof", example="metal")
shade_visit = Data(name="shade", example="none")
goal_data = Data(name="goal", example="savings")
loads_data = Data(name="loads", example=["lights"])
visit_slot = RadioButtonsGroup(
    name="visit_slot",
    data_source=[
        Option(id="morning", title="Morning, 8:00 to 12:00"),
        Option(id="afternoon", title="Afternoon, 13:00 to 17:00"),
    ],
    label="Time of day",
    required=True,
)
visit_date = DatePicker(
    name="visit_date",
    label="Visit date",
    helper_text="Choose a day at least three working days from now",
    required=True,
)
visit = Screen(
    id="VISIT",
    title="Book your site visit",
    data=[property_visit, roof_visit, shade_visit, goal_data, loads_data],
    children=[
        TextBody(
            text="An engineer measures the roof, checks the wiring and answers your questions. Please plan one hour.",
        ),
        visit_date,
        visit_slot,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "CONFIRM",
                {
                    "property": property_visit,
                    "roof": roof_visit,
                    "shade": shade_visit,
                    "goal": goal_data,
                    "loads": loads_data,
                    "visit_date": visit_date,
                    "visit_slot": visit_slot,
                },
            ),
        ),
    ],
)
property_confirm = Data(name="property", example="home")
roof_confirm = Data(name="roof", example="metal")
shade_confirm = Data(name="shade", example="none")
goal_confirm = Data(name="goal", example="savings")
loads_confirm = Data(name="loads", example=["lights"])
visit_date_data = Data(name="visit_date", example="2026-03-16")
visit_slot_data = Data(name="visit_slot", example="morning")
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
confirm = Screen(
    id="CONFIRM",
    title="Confirm your request",
    data=[
        property_confirm,
        roof_confirm,
        shade_confirm,
        goal_confirm,
        loads_confirm,
        visit_date_data,
        visit_slot_data,
    ],
    terminal=True,
    success=True,
    children=[
        TextBody(
            text=text("Your site visit: ", visit_date_data, ", ", visit_slot_data),
        ),
        If(
            (roof_confirm == "ground").written_as("${data.roof} == 'ground'"),
            then=[
                TextCaption(
                    text="Please mark the place for the panels before the visit.",
                ),
            ],
        ),
        full_name,
        site_address,
        contact_consent,
        Footer(
            label="Send request",
            on_click_action=Complete(
                {
                    "property": property_confirm,
                    "roof": roof_confirm,
                    "shade": shade_confirm,
                    "monthly_bill": monthly_bill,
                    "goal": goal_confirm,
                    "loads": loads_confirm,
                    "visit_date": visit_date_data,
                    "visit_slot": visit_slot_data,
                    "full_name": full_name,
                    "site_address": site_address,
                    "contact_consent": contact_consent,
                },
            ),
        ),
    ],
)
flow = Flow(
    version="7.3",
    screens=[welcome, property_screen, roof_screen, energy, system, visit, confirm],
)
