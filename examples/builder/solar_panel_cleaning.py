from whatsapp_flows.builder import (
    CheckboxGroup,
    Complete,
    Data,
    DatePicker,
    Flow,
    Footer,
    If,
    Navigate,
    Option,
    RadioButtonsGroup,
    Screen,
    TextArea,
    TextBody,
    TextHeading,
    TextInput,
)

panel_place = RadioButtonsGroup(
    name="panel_place",
    data_source=[
        Option(id="low_roof", title="Roof of a one-storey building"),
        Option(id="high_roof", title="Roof of a taller building"),
        Option(id="ground", title="On the ground or a carport"),
    ],
    label="Where are the panels?",
    required=True,
)
panel_count = TextInput(
    name="panel_count",
    label="Number of panels",
    input_type="number",
    helper_text="A rough count is fine",
    required=True,
    max_chars=4,
)
panels = Screen(
    id="PANELS",
    title="Your solar panels",
    children=[
        TextHeading(text="Book a panel cleaning"),
        TextBody(
            text="Clean panels give more power. Tell us about your system, and we send you the price before the visit.",
        ),
        panel_count,
        panel_place,
        Footer(
            label="Continue",
            on_click_action=Navigate("CONDITION", {"panel_place": panel_place}),
        ),
    ],
)
panel_place_data = Data(name="panel_place", example="low_roof")
damage = RadioButtonsGroup(
    name="damage",
    data_source=[
        Option(id="no", title="No"),
        Option(id="yes", title="Yes, glass or cables"),
        Option(id="unsure", title="I am not sure"),
    ],
    label="Is anything broken?",
    description="We inspect broken panels first and do not wash them.",
    required=True,
)
soiling = CheckboxGroup(
    name="soiling",
    data_source=[
        Option(id="dust", title="Dust or sand"),
        Option(id="birds", title="Bird droppings"),
        Option(id="plants", title="Leaves, moss or lichen"),
        Option(id="unsure", title="I cannot see them"),
    ],
    label="What do you see on them?",
    required=True,
    min_selected_items=1,
)
condition = Screen(
    id="CONDITION",
    title="Condition of the panels",
    data=[panel_place_data],
    children=[
        soiling,
        damage,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "SERVICE",
                {"panel_place": panel_place_data, "soiling": soiling, "damage": damage},
            ),
        ),
    ],
)
panel_place_service = Data(name="panel_place", example="low_roof")
soiling_data = Data(name="soiling", example=["dust"])
damage_data = Data(name="damage", example="no")
extras = CheckboxGroup(
    name="extras",
    data_source=[
        Option(id="inverter", title="Inverter check"),
        Option(id="wiring", title="Cable and clamp check"),
        Option(id="bird_mesh", title="Bird mesh fitted"),
    ],
    label="Optional extras",
)
plan = RadioButtonsGroup(
    name="plan",
    data_source=[
        Option(id="once", title="Once", description="A single visit, no contract"),
        Option(
            id="twice_a_year",
            title="Every 6 months",
            description="For places with little dust",
        ),
        Option(
            id="quarterly",
            title="Every 3 months",
            description="For dusty roads, farms and workshops",
        ),
    ],
    label="How often?",
    required=True,
)
service = Screen(
    id="SERVICE",
    title="Choose your service",
    data=[panel_place_service, soiling_data, damage_data],
    children=[
        plan,
        extras,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "BOOKING",
                {
                    "panel_place": panel_place_service,
                    "soiling": soiling_data,
                    "damage": damage_data,
                    "plan": plan,
                    "extras": extras,
                },
            ),
        ),
    ],
)
panel_place_booking = Data(name="panel_place", example="low_roof")
soiling_booking = Data(name="soiling", example=["dust"])
damage_booking = Data(name="damage", example="no")
plan_data = Data(name="plan", example="once")
extras_data = Data(name="extras", example=["inverter"])
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
    label="Preferred date",
    helper_text="Choose a day at least two working days from now",
    required=True,
)
booking = Screen(
    id="BOOKING",
    title="Book your visit",
    data=[panel_place_booking, soiling_booking, damage_booking, plan_data, extras_data],
    terminal=True,
    success=True,
    children=[
        If(
            (damage_booking == "no").written_as("${data.damage} == 'no'"),
            then=[
                TextBody(
                    text="The cleaning takes one to two hours. You need not switch anything off yourself.",
                ),
            ],
            else_=[
                TextBody(
                    text="Please keep away from cracked glass and loose cables until we have inspected them.",
                ),
            ],
        ),
        visit_date,
        visit_slot,
        full_name,
        site_address,
        Footer(
            label="Request cleaning",
            on_click_action=Complete(
                {
                    "panel_count": panel_count,
                    "panel_place": panel_place_booking,
                    "soiling": soiling_booking,
                    "damage": damage_booking,
                    "plan": plan_data,
                    "extras": extras_data,
                    "visit_date": visit_date,
                    "visit_slot": visit_slot,
                    "full_name": full_name,
                    "site_address": site_address,
                },
            ),
        ),
    ],
)
flow = Flow(version="7.3", screens=[panels, condition, service, booking])
