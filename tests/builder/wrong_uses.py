"""Wrong uses of the builder. Nobody runs this: each line has the error that a type checker must give."""

from whatsapp_flows.builder import (
    Complete,
    Data,
    Dropdown,
    Flow,
    Footer,
    If,
    OptIn,
    Option,
    Screen,
    TextBody,
    TextInput,
    text,
)

name = TextInput(name="name", label="Name")
age = TextInput(name="age", label="Age", input_type="number")
terms = OptIn(name="terms", label="Terms")
count = Data(name="count", example=3)
paid = Data(name="paid", example=True)
city = Data(name="city", example="x")
slots = Data(name="slots", example=[{"id": "1", "title": "One"}])

If(name == 3, then=[])  # mypy: arg-type; pyright: reportArgumentType
If(count == "x", then=[])  # mypy: arg-type; pyright: reportArgumentType
If(paid == "x", then=[])  # mypy: arg-type; pyright: reportArgumentType
If(name == age.number, then=[])  # mypy: operator; pyright: reportOperatorIssue
If(age > 17, then=[])  # mypy: operator; pyright: reportOperatorIssue
If(1 < count < 5 and paid, then=[])  # no checker sees it: it raises
If(not paid, then=[])  # mypy: arg-type; pyright: reportArgumentType
If(city + 1 == 2, then=[])  # mypy: operator; pyright: reportOperatorIssue
If(city & paid, then=[])  # mypy: misc; pyright: reportOperatorIssue
If(~count, then=[])  # mypy: misc; pyright: reportOperatorIssue
If(count, then=[])  # mypy: arg-type; pyright: reportArgumentType
If(text("a", name), then=[])  # mypy: arg-type; pyright: reportArgumentType
If("${form.name} == 'x'", then=[])  # mypy: arg-type; pyright: reportArgumentType
TextBody(text=3)  # mypy: arg-type; pyright: reportArgumentType
TextBody(text=count)  # mypy: arg-type; pyright: reportArgumentType
TextBody(text="a", visible=city)  # mypy: arg-type; pyright: reportArgumentType
TextBody(text="a", visible="true")  # mypy: arg-type; pyright: reportArgumentType
TextBody(text="a", font_weight="heavy")  # mypy: arg-type; pyright: reportArgumentType
TextInput(name="a")  # mypy: call-arg; pyright: reportCallIssue
TextInput(nam="a", name="a", label="A")  # mypy: call-arg; pyright: reportCallIssue
TextInput(name="a", label="A", input_type="nummer")  # mypy: arg-type; pyright: reportArgumentType
TextInput(name="a", label="A", max_chars="80")  # mypy: arg-type; pyright: reportArgumentType
TextInput(name=city, label="A")  # mypy: arg-type; pyright: reportArgumentType
Dropdown(name="a", label="A", data_source=["x"])  # mypy: list-item; pyright: reportArgumentType
Dropdown(name="a", label="A", data_source=[Option(id="x")])  # mypy: call-arg; pyright: reportCallIssue
Footer(label="Go", on_click_action={"name": "complete"})  # mypy: arg-type; pyright: reportArgumentType
Footer(label="Go", on_click_action=Complete)  # mypy: arg-type; pyright: reportArgumentType
Screen(id="A", children=[Option(id="a", title="A")])  # mypy: list-item; pyright: reportArgumentType
Screen(id="A", data={"x": 1})  # mypy: arg-type; pyright: reportArgumentType
Screen(1)  # mypy: arg-type; pyright: reportArgumentType
Flow(version=7.3, screens=[])  # mypy: arg-type; pyright: reportArgumentType
Flow(version="7.3")  # mypy: call-arg; pyright: reportCallIssue
age.numbers  # mypy: attr-defined; pyright: reportAttributeAccessIssue
count["x"] == 1
