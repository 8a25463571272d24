from whatsapp_flows.builder import (
    CheckboxGroup,
    Complete,
    Data,
    DatePicker,
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
    TextHeading,
    TextInput,
)

site_type = RadioButtonsGroup(
    name="site_type",
    data_source=[
        Option(id="home", title="Home"),
        Option(id="business", title="Shop or office"),
        Option(id="public", title="School or clinic"),
        Option(id="remote", title="Farm, lodge or work site"),
    ],
    label="Type of location",
    required=True,
)
site = Screen(
    id="SITE",
    title="Your location",
    children=[
        TextHeading(text="Book a Starlink installation"),
        TextBody(
            text="Tell us where the dish goes and how you use the internet. We confirm the price and the appointment in this chat.",
        ),
        site_type,
        Footer(
            label="Continue",
            on_click_action=Navigate("KIT", {"site_type": site_type}),
        ),
    ],
)
site_type_data = Data(name="site_type", example="home")
kit = RadioButtonsGroup(
    name="kit",
    data_source=[
        Option(id="have", title="Yes, it is here"),
        Option(id="ordered", title="Ordered, not yet delivered"),
        Option(id="supply", title="No, please supply it"),
    ],
    label="Do you have the kit?",
    required=True,
)
kit_screen = Screen(
    id="KIT",
    title="Your kit",
    data=[site_type_data],
    children=[
        kit,
        Footer(
            label="Continue",
            on_click_action=Navigate("DISH", {"site_type": site_type_data, "kit": kit}),
        ),
    ],
)
site_type_dish = Data(name="site_type", example="home")
kit_data = Data(name="kit", example="have")
sky_view = RadioButtonsGroup(
    name="sky_view",
    data_source=[
        Option(id="open", title="Open in all directions"),
        Option(id="partial", title="Some trees or buildings"),
        Option(id="unsure", title="I am not sure"),
    ],
    label="View of the sky",
    required=True,
)
mount = RadioButtonsGroup(
    name="mount",
    data_source=[
        Option(id="roof", title="On the roof"),
        Option(id="wall", title="On an outside wall"),
        Option(id="pole", title="On a pole or on the ground"),
    ],
    label="Preferred place",
    required=True,
)
dish = Screen(
    id="DISH",
    title="Where the dish goes",
    data=[site_type_dish, kit_data],
    children=[
        TextBody(
            text="The dish needs a wide, open view of the sky. Trees and walls close to it cause short interruptions.",
        ),
        mount,
        sky_view,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "NETWORK",
                {
                    "site_type": site_type_dish,
                    "kit": kit_data,
                    "mount": mount,
                    "sky_view": sky_view,
                },
            ),
        ),
    ],
)
site_type_network = Data(name="site_type", example="home")
kit_network = Data(name="kit", example="have")
mount_data = Data(name="mount", example="roof")
sky_view_data = Data(name="sky_view", example="open")
wifi_areas = CheckboxGroup(
    name="wifi_areas",
    data_source=[
        Option(id="indoors", title="Indoors"),
        Option(id="outdoors", title="Garden or yard"),
        Option(id="annex", title="A second building"),
    ],
    label="Where do you need Wi-Fi?",
    required=True,
    min_selected_items=1,
)
users = TextInput(
    name="users",
    label="People online",
    input_type="number",
    helper_text="The highest number of people online at the same time",
    required=True,
    max_chars=4,
)
network = Screen(
    id="NETWORK",
    title="Your network",
    data=[site_type_network, kit_network, mount_data, sky_view_data],
    children=[
        users,
        wifi_areas,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "BOOKING",
                {
                    "site_type": site_type_network,
                    "kit": kit_network,
                    "mount": mount_data,
                    "sky_view": sky_view_data,
                    "wifi_areas": wifi_areas,
                },
            ),
        ),
    ],
)
site_type_booking = Data(name="site_type", example="home")
kit_booking = Data(name="kit", example="have")
mount_booking = Data(name="mount", example="roof")
sky_view_booking = Data(name="sky_view", example="open")
wifi_areas_data = Data(name="wifi_areas", example=["indoors"])
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
install_date = DatePicker(
    name="install_date",
    label="Preferred date",
    helper_text="Choose a day at least two working days from now",
    required=True,
)
booking = Screen(
    id="BOOKING",
    title="Book your appointment",
    data=[
        site_type_booking,
        kit_booking,
        mount_booking,
        sky_view_booking,
        wifi_areas_data,
    ],
    terminal=True,
    success=True,
    children=[
        If(
            (kit_booking == "have").written_as("${data.kit} == 'have'"),
            then=[
                TextBody(
                    text="The installation takes two to three hours. Please leave the kit in its box until we arrive.",
                ),
            ],
            else_=[
                TextBody(
                    text="We confirm your preferred date as soon as the kit is available.",
                ),
            ],
        ),
        install_date,
        full_name,
        site_address,
        contact_consent,
        Footer(
            label="Send request",
            on_click_action=Complete(
                {
                    "site_type": site_type_booking,
                    "kit": kit_booking,
                    "mount": mount_booking,
                    "sky_view": sky_view_booking,
                    "users": users,
                    "wifi_areas": wifi_areas_data,
                    "install_date": install_date,
                    "full_name": full_name,
                    "site_address": site_address,
                    "contact_consent": contact_consent,
                },
            ),
        ),
    ],
)
flow = Flow(version="7.3", screens=[site, kit_screen, dish, network, booking])
