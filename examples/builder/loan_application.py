from whatsapp_flows.builder import (
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
    RichText,
    Screen,
    TextBody,
    TextCaption,
    TextInput,
    text,
)

about = Screen(
    id="ABOUT",
    title="Pay in instalments",
    children=[
        RichText(
            text=[
                "# Finance your installation",
                "Spread the cost of your solar, internet or furniture project over **6 to 36 months**.",
                "## How it works",
                "1. You answer three short pages of questions.",
                "2. We reply with an offer within two working days.",
                "3. You sign only if the offer suits you.",
                "Please do not send card numbers, bank details or passwords in this chat. We never ask for them here.",
            ],
        ),
        Footer(label="Start application", on_click_action=Navigate("LOAN")),
    ],
)
term = RadioButtonsGroup(
    name="term",
    data_source=[
        Option(id="6_months", title="6 months"),
        Option(id="12_months", title="12 months"),
        Option(id="24_months", title="24 months"),
        Option(id="36_months", title="36 months"),
    ],
    label="Time to repay",
    required=True,
)
amount = TextInput(
    name="amount",
    label="Amount needed",
    input_type="number",
    helper_text="In your local currency, without your own deposit",
    required=True,
    max_chars=9,
)
purpose = Dropdown(
    name="purpose",
    label="What is it for?",
    data_source=[
        Option(id="solar", title="Solar installation"),
        Option(id="hybrid", title="Hybrid power system"),
        Option(id="internet", title="Satellite internet"),
        Option(id="furniture", title="Custom furniture"),
    ],
    required=True,
)
loan = Screen(
    id="LOAN",
    title="Your loan",
    children=[
        purpose,
        amount,
        term,
        Footer(
            label="Continue",
            on_click_action=Navigate("APPLICANT", {"purpose": purpose, "term": term}),
        ),
    ],
)
purpose_data = Data(name="purpose", example="solar")
term_data = Data(name="term", example="6_months")
birth_date = DatePicker(
    name="birth_date",
    label="Date of birth",
    helper_text="Applicants must be at least 18 years old",
    required=True,
    min_date="1920-01-01",
)
full_name = TextInput(
    name="full_name",
    label="Full name",
    helper_text="As written on your identity document",
    required=True,
    min_chars=2,
    max_chars=60,
)
applicant = Screen(
    id="APPLICANT",
    title="About you",
    data=[purpose_data, term_data],
    sensitive=["birth_date"],
    children=[
        full_name,
        birth_date,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "INCOME",
                {
                    "purpose": purpose_data,
                    "term": term_data,
                    "full_name": full_name,
                    "birth_date": birth_date,
                },
            ),
        ),
    ],
)
purpose_income = Data(name="purpose", example="solar")
term_income = Data(name="term", example="6_months")
full_name_data = Data(name="full_name", example="Applicant's name")
birth_date_data = Data(name="birth_date", example="1990-01-31")
debts = TextInput(
    name="debts",
    label="Loan payments",
    input_type="number",
    helper_text="All loans you repay per month; enter 0 if none",
    required=True,
    max_chars=9,
)
income = TextInput(
    name="income",
    label="Monthly income",
    input_type="number",
    helper_text="After tax, in your local currency",
    required=True,
    max_chars=9,
)
work = Dropdown(
    name="work",
    label="Your work",
    data_source=[
        Option(id="employee", title="Employee"),
        Option(id="self_employed", title="Self-employed"),
        Option(id="pension", title="Retired with a pension"),
    ],
    required=True,
)
income_screen = Screen(
    id="INCOME",
    title="Your income",
    data=[purpose_income, term_income, full_name_data, birth_date_data],
    sensitive=["income", "debts"],
    children=[
        work,
        income,
        debts,
        Footer(
            label="Continue",
            on_click_action=Navigate(
                "SUBMIT",
                {
                    "purpose": purpose_income,
                    "term": term_income,
                    "full_name": full_name_data,
                    "birth_date": birth_date_data,
                    "work": work,
                },
            ),
        ),
    ],
)
purpose_submit = Data(name="purpose", example="solar")
term_submit = Data(name="term", example="6_months")
full_name_submit = Data(name="full_name", example="Applicant's name")
birth_date_submit = Data(name="birth_date", example="1990-01-31")
work_data = Data(name="work", example="employee")
credit_check = OptIn(
    name="credit_check",
    label="I agree to the credit check",
    required=True,
)
answers_true = OptIn(name="answers_true", label="My answers are true", required=True)
submit = Screen(
    id="SUBMIT",
    title="Send your application",
    data=[purpose_submit, term_submit, full_name_submit, birth_date_submit, work_data],
    terminal=True,
    success=True,
    children=[
        TextBody(text=text("Applicant: ", full_name_submit)),
        TextCaption(
            text="This is an application, not a contract. To prepare an offer we check your answers and your credit history, and we use them for nothing else.",
        ),
        answers_true,
        credit_check,
        Footer(
            label="Send application",
            on_click_action=Complete(
                {
                    "purpose": purpose_submit,
                    "amount": amount,
                    "term": term_submit,
                    "full_name": full_name_submit,
                    "birth_date": birth_date_submit,
                    "work": work_data,
                    "income": income,
                    "debts": debts,
                    "answers_true": answers_true,
                    "credit_check": credit_check,
                },
            ),
        ),
    ],
)
flow = Flow(version="7.3", screens=[about, loan, applicant, income_screen, submit])
