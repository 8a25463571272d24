from whatsapp_flows.builder import (
    Chip,
    ChipsSelector,
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
    PhotoPicker,
    RadioButtonsGroup,
    Screen,
    TextArea,
    TextBody,
    TextCaption,
    TextHeading,
    TextInput,
)

piece = Dropdown(
    name="piece",
    label="What do you need?",
    data_source=[
        Option(id="kitchen", title="Fitted kitchen"),
        Option(id="wardrobe", title="Wardrobe"),
        Option(id="shelves", title="Shelves or TV wall"),
        Option(id="desk", title="Desk or table"),
        Option(id="counter", title="Shop or reception counter"),
    ],
    required=True,
)
piece_screen = Screen(
    id="PIECE",
    title="Your furniture",
    children=[
        TextHeading(text="Furniture made for your space"),
        TextBody(
            text="We design, build and install each piece. Tell us what you have in mind.",
        ),
        piece,
        Footer(label="Continue", on_click_action=Navigate("SIZE", {"piece": piece})),
    ],
)
piece_data = Data(name="piece", example="kitchen")
depth_cm = TextInput(
    name="depth_cm",
    label="Depth in cm",
    input_type="number",
    required=True,
    max_chars=4,
)
height_cm = TextInput(
    name="height_cm",
    label="Height in cm",
    input_type="number",
    required=True,
    max_chars=4,
)
width_cm = TextInput(
    name="width_cm",
    label="Width in cm",
    input_type="number",
    required=True,
    max_chars=4,
)
size = Screen(
    id="SIZE",
    title="Size",
    data=[piece_data],
    children=[
        TextBody(
            text="Approximate measurements are enough. We measure again before we build.",
        ),
        width_cm,
        height_cm,
        depth_cm,
        Footer(
            label="Continue",
            on_click_action=Navigate("STYLE", {"piece": piece_data}),
        ),
    ],
)
piece_style = Data(name="piece", example="kitchen")
finish = RadioButtonsGroup(
    name="finish",
    data_source=[
        Option(id="natural", title="Natural oil"),
        Option(id="varnish", title="Clear varnish"),
        Option(id="painted", title="Painted in a colour"),
    ],
    label="Surface",
    required=True,
)
materials = ChipsSelector(
    name="materials",
    label="Materials you like",
    data_source=[
        Chip(id="oak", title="Oak"),
        Chip(id="pine", title="Pine"),
        Chip(id="plywood", title="Birch plywood"),
        Chip(id="laminate", title="Laminate"),
        Chip(id="metal", title="Metal and glass"),
    ],
    description="Choose up to three.",
    required=True,
    min_selected_items=1,
    max_selected_items=3,
)
style = Screen(
    id="STYLE",
    title="Material and style",
    data=[piece_style],
    children=[
        materials,
        finish,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "VISIT",
                {"piece": piece_style, "materials": materials, "finish": finish},
            ),
        ),
    ],
)
piece_visit = Data(name="piece", example="kitchen")
materials_data = Data(name="materials", example=["oak"])
finish_data = Data(name="finish", example="natural")
contact_consent = OptIn(
    name="contact_consent",
    label="You may contact me about this",
    required=True,
)
room_photos = PhotoPicker(
    name="room_photos",
    label="Photos of the room",
    description="Optional: the place for the piece, or a picture of what you like.",
    photo_source="camera_gallery",
    max_file_size_kb=10240,
    min_uploaded_photos=0,
    max_uploaded_photos=5,
)
site_address = TextArea(
    name="site_address",
    label="Address",
    helper_text="Street, house number, town, floor, and whether there is a lift",
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
    helper_text="Choose a day at least two working days from now",
    required=True,
)
visit = Screen(
    id="VISIT",
    title="Measuring visit",
    data=[piece_visit, materials_data, finish_data],
    terminal=True,
    success=True,
    children=[
        If(
            (finish_data == "painted").written_as("${data.finish} == 'painted'"),
            then=[
                TextCaption(text="We bring our colour samples to the measuring visit."),
            ],
        ),
        visit_date,
        full_name,
        site_address,
        room_photos,
        contact_consent,
        Footer(
            label="Request a quote",
            on_click_action=Complete(
                {
                    "piece": piece_visit,
                    "width_cm": width_cm,
                    "height_cm": height_cm,
                    "depth_cm": depth_cm,
                    "materials": materials_data,
                    "finish": finish_data,
                    "visit_date": visit_date,
                    "full_name": full_name,
                    "site_address": site_address,
                    "room_photos": room_photos,
                    "contact_consent": contact_consent,
                },
            ),
        ),
    ],
)
flow = Flow(version="7.3", screens=[piece_screen, size, style, visit])
