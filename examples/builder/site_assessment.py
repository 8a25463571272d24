from whatsapp_flows.builder import (
    CalendarPicker,
    CheckboxGroup,
    Complete,
    Data,
    Dropdown,
    Flow,
    Footer,
    Navigate,
    Option,
    PhotoPicker,
    RadioButtonsGroup,
    Screen,
    TextArea,
    TextBody,
    TextHeading,
    TextInput,
    text,
)

services = CheckboxGroup(
    name="services",
    data_source=[
        Option(id="solar", title="Solar power"),
        Option(id="battery", title="Battery backup"),
        Option(id="internet", title="Satellite internet"),
        Option(id="lighting", title="Outdoor lighting"),
    ],
    label="What are you planning?",
    required=True,
    min_selected_items=1,
)
project = Screen(
    id="PROJECT",
    title="Your project",
    children=[
        TextHeading(text="Request a site assessment"),
        TextBody(
            text="An engineer visits the site, takes measurements and sends you a written report with our recommendation.",
        ),
        services,
        Footer(
            label="Continue",
            on_click_action=Navigate("SITE", {"services": services}),
        ),
    ],
)
services_data = Data(name="services", example=["solar"])
floors = TextInput(
    name="floors",
    label="Number of floors",
    input_type="number",
    helper_text="Count the ground floor as one; enter 0 for an empty plot",
    required=True,
    max_chars=2,
)
site_type = Dropdown(
    name="site_type",
    label="Type of site",
    data_source=[
        Option(id="home", title="Home"),
        Option(id="office", title="Office or school"),
        Option(id="industry", title="Factory, farm or warehouse"),
        Option(id="plot", title="Plot or building site"),
    ],
    required=True,
)
site = Screen(
    id="SITE",
    title="About the site",
    data=[services_data],
    children=[
        site_type,
        floors,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "POWER",
                {"services": services_data, "site_type": site_type},
            ),
        ),
    ],
)
services_power = Data(name="services", example=["solar"])
site_type_data = Data(name="site_type", example="home")
grid_supply = RadioButtonsGroup(
    name="grid_supply",
    data_source=[
        Option(id="single_phase", title="Single-phase"),
        Option(id="three_phase", title="Three-phase"),
        Option(id="none", title="No connection"),
        Option(id="unsure", title="I am not sure"),
    ],
    label="Grid connection",
    required=True,
)
power = Screen(
    id="POWER",
    title="Electricity on site",
    data=[services_power, site_type_data],
    children=[
        grid_supply,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "ACCESS",
                {
                    "services": services_power,
                    "site_type": site_type_data,
                    "grid_supply": grid_supply,
                },
            ),
        ),
    ],
)
services_access = Data(name="services", example=["solar"])
site_type_access = Data(name="site_type", example="home")
grid_supply_data = Data(name="grid_supply", example="single_phase")
access = CheckboxGroup(
    name="access",
    data_source=[
        Option(id="permit", title="Entry permit needed"),
        Option(id="ladder", title="Roof needs a long ladder"),
        Option(id="road", title="Rough road, no small cars"),
    ],
    label="Please note on site",
)
site_address = TextArea(
    name="site_address",
    label="Site address",
    helper_text="Street, house number, town and a landmark nearby",
    required=True,
    max_length=300,
)
access_screen = Screen(
    id="ACCESS",
    title="Getting to the site",
    data=[services_access, site_type_access, grid_supply_data],
    children=[
        site_address,
        access,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "BOOKING",
                {
                    "services": services_access,
                    "site_type": site_type_access,
                    "grid_supply": grid_supply_data,
                    "site_address": site_address,
                    "access": access,
                },
            ),
        ),
    ],
)
services_booking = Data(name="services", example=["solar"])
site_type_booking = Data(name="site_type", example="home")
grid_supply_booking = Data(name="grid_supply", example="single_phase")
site_address_data = Data(name="site_address", example="Street, house number, town")
access_data = Data(name="access", example=["permit"])
site_photos = PhotoPicker(
    name="site_photos",
    label="Photos of the site",
    description="Optional: the roof, the meter and the distribution board, up to five photos.",
    photo_source="camera_gallery",
    max_file_size_kb=10240,
    min_uploaded_photos=0,
    max_uploaded_photos=5,
)
contact_name = TextInput(
    name="contact_name",
    label="Contact on site",
    helper_text="Full name of the person who meets our engineer",
    required=True,
    min_chars=2,
    max_chars=60,
)
visit_date = CalendarPicker(
    name="visit_date",
    label="Visit date",
    helper_text="Choose a weekday, at least three working days from now",
    required=True,
    include_days=["Mon", "Tue", "Wed", "Thu", "Fri"],
)
booking = Screen(
    id="BOOKING",
    title="Book the assessment",
    data=[
        services_booking,
        site_type_booking,
        grid_supply_booking,
        site_address_data,
        access_data,
    ],
    terminal=True,
    success=True,
    children=[
        TextBody(text=text("We come to: ", site_address_data)),
        visit_date,
        contact_name,
        site_photos,
        Footer(
            label="Request assessment",
            on_click_action=Complete(
                {
                    "services": services_booking,
                    "site_type": site_type_booking,
                    "floors": floors,
                    "grid_supply": grid_supply_booking,
                    "site_address": site_address_data,
                    "access": access_data,
                    "visit_date": visit_date,
                    "contact_name": contact_name,
                    "site_photos": site_photos,
                },
            ),
        ),
    ],
)
flow = Flow(version="7.3", screens=[project, site, power, access_screen, booking])
