"""`flows.toml`: its settings, the flows that result, and its errors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support import valid_flow
from whatsapp_flows import ConfigurationError
from whatsapp_flows.sync.desired._config import find_config, lock_file_of, read_workspace
from whatsapp_flows.sync.desired._desired import DesiredFlow, Workspace

FLOW_JSON = json.dumps(valid_flow("FIRST")).encode()

LEAST = """\
[defaults]
categories = ["OTHER"]
publish = true
[flows.solar_installation]
file = "solar_installation.json"
name = "Solar Installation Request"
"""
FLOW = '[flows.a]\nfile = "a.json"\nname = "A"\n'
A = f'{FLOW}categories = ["OTHER"]\n'
B = A.replace("flows.a", "flows.b").replace("a.json", "b.json").replace('"A"', '"B"')


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with the files a.json and b.json."""
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.json").write_bytes(FLOW_JSON)
    return tmp_path


def read(text: str, env: str | None = None, name: str = "flows.toml", only: tuple[str, ...] = ()) -> Workspace:
    Path(name).write_text(text, newline="")
    return read_workspace(Path(name), env, only=only)


def mistake(text: str, env: str | None = None, name: str = "flows.toml") -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text, env, name)
    return caught.value.message


def test_the_minimum_configuration(folder: Path) -> None:
    """A table with `file` and `name`; the rest comes from the defaults. The path is relative to the file."""
    (folder / "inner").mkdir()
    (folder / "inner" / "solar_installation.json").write_bytes(FLOW_JSON)
    workspace = read(LEAST, name="inner/flows.toml")
    assert workspace == Workspace(
        flows=(
            DesiredFlow(
                key="solar_installation",
                name="Solar Installation Request",
                content=FLOW_JSON,
                categories=("OTHER",),
                publish=True,
                file=Path("inner/solar_installation.json"),
            ),
        ),
        lock_file=Path("inner/flows.lock.json"),
        source="inner/flows.toml",
    )


@pytest.mark.usefixtures("folder")
def test_every_setting_of_a_flow() -> None:
    """A flow's table overrides the defaults; ids may be numbers."""
    text = f"""
        waba_id = 123
        name_suffix = " v1"
        [defaults]
        categories = ["OTHER"]
        endpoint = "https://one.example"
        publish = true
        {FLOW}
        categories = ["SURVEY", "SIGN_UP"]
        endpoint = "https://two.example"
        application = "77"
        publish = false
        replace = true
        name_suffix = ""
        [flows.b]
        file = "b.json"
        name = "B"
    """
    workspace = read(text)
    a, b = workspace.flows
    assert workspace.account_id == "123"
    assert (a.name, a.categories, a.endpoint_uri) == ("A", ("SURVEY", "SIGN_UP"), "https://two.example")
    assert (a.application_id, a.publish, a.replace) == ("77", False, True)
    assert (b.name, b.categories, b.endpoint_uri) == ("B v1", ("OTHER",), "https://one.example")
    assert (b.application_id, b.publish, b.replace) == (None, True, False)


ENVIRONMENTS = f"""
    waba_id = "1"
    [defaults]
    categories = ["OTHER"]
    endpoint = "https://live.example"
    {FLOW}
    endpoint = "https://live.example/a"
    name_suffix = " v2"
    [flows.b]
    file = "b.json"
    name = "B"
    [env.staging]
    waba_id = "2"
    endpoint = "https://staging.example"
    name_suffix = " (staging)"
    publish = true
    [env.staging.flows.b]
    file = "a.json"
    name = "Bee"
    endpoint = "https://staging.example/b"
    [env.live]
"""


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("env", "account", "flows", "lock"),
    [
        (None, "1", [("A v2", "https://live.example/a", False), ("B", "https://live.example", False)], "flows"),
        ("live", "1", [("A v2", "https://live.example/a", False), ("B", "https://live.example", False)], "flows.live"),
        (
            "staging", "2",
            [("A (staging)", "https://staging.example", True), ("Bee (staging)", "https://staging.example/b", True)],
            "flows.staging",
        ),
    ],
)  # fmt: skip
def test_an_environment_overrides_the_other_settings(
    env: str | None, account: str, flows: list[tuple[str, str, bool]], lock: str
) -> None:
    """So no staging run uses a live endpoint."""
    workspace = read(ENVIRONMENTS, env)
    assert (workspace.account_id, workspace.environment) == (account, env or "")
    assert [(flow.name, flow.endpoint_uri, flow.publish) for flow in workspace.flows] == flows
    assert workspace.lock_file == Path(f"{lock}.lock.json")


def test_an_environment_may_have_other_files(folder: Path) -> None:
    """And other names."""
    (folder / "a.json").write_bytes(json.dumps(valid_flow("SECOND")).encode())
    assert b"SECOND" in read(ENVIRONMENTS, "staging").flows[1].content
    assert b"SECOND" not in read(ENVIRONMENTS).flows[1].content


def test_a_pyproject_may_have_the_tables(folder: Path) -> None:
    """Below [tool.whatsapp-flows], beside those of other tools."""
    text = f"[tool.ruff]\nsecret = 1\n{A.replace('flows.a', 'tool.whatsapp-flows.flows.a')}"
    workspace = read(text, name="pyproject.toml")
    assert [flow.key for flow in workspace.flows] == ["a"]
    assert workspace.lock_file == Path("flows.lock.json")
    assert mistake(f"{text}nam = 1", name="pyproject.toml") == (
        "pyproject.toml:7: [tool.whatsapp-flows.flows.a] unknown key 'nam': did you mean 'name'?"
    )
    assert mistake("[tool.ruff]", name="pyproject.toml") == "pyproject.toml has no [tool.whatsapp-flows] table."
    assert mistake("[tool.whatsapp-flows.defaults]", name="pyproject.toml") == (
        'pyproject.toml has no flows: add a table like [tool.whatsapp-flows.flows.booking] with "file" and "name".'
    )
    (folder / "pyproject.toml").write_text(text)
    assert find_config(folder) == folder / "pyproject.toml"
    (folder / "flows.toml").touch()
    assert find_config(folder) == folder / "flows.toml"
    (folder / "flows.toml").unlink()
    (folder / "pyproject.toml").write_text("[tool.ruff]")
    assert find_config(folder) == folder / "flows.toml"


IN_ENVIRONMENT = (
    "known are waba_id, categories, endpoint, application, publish, replace, name_suffix, variables, flows."
)
EACH = [
    ("flow = {}", "1: unknown key 'flow': did you mean 'flows'?"),
    ("\nzebra = 1", "2: unknown key 'zebra': known are waba_id, name_suffix, defaults, flows, env, variables."),
    ("[defaults]\n\ncategory = 1", "3: [defaults] unknown key 'category': did you mean 'categories'?"),
    (f"{FLOW}nam = 1", "4: [flows.a] unknown key 'nam': did you mean 'name'?"),
    (f"{A}[env.x.flows.a]\npublic = true", "6: [env.x.flows.a] unknown key 'public': did you mean 'publish'?"),
    (f"{A}[env.x]\nfile = 'a'", "6: [env.x] unknown key 'file': " + IN_ENVIRONMENT),
    (f"{A}[env.x.flows.aa]", "5: [env.x.flows.aa] names an unknown flow: did you mean 'a'?"),
    (f"{A}[env.'a b']", "5: [env] 'a b' is not a name of letters, digits, _ and -."),
    (f"{A}[variables]\n1 = 'x'", "6: [variables] '1' is not a name of letters, digits, _ and -."),
    (f"{A}[variables]\nx = 1", "6: [variables] x: must be a string, not 1."),
    (f"{A}[flows.'']", "5: [flows] '' is not a name that is not empty."),
    ("[defaults]\npublish = 1", "2: [defaults] publish: must be true or false, not 1."),
    (f"{A}replace = 'yes'", "5: [flows.a] replace: must be true or false, not 'yes'."),
    (
        f"{A}application = 'app'",
        "5: [flows.a] application: must be an id of digits, like \"102290129340398\", not 'app'.",
    ),
    ("waba_id = true", '1: waba_id: must be an id of digits, like "102290129340398", not True.'),
    ("name_suffix = 1", "1: name_suffix: must be a string, not 1."),
    (
        f"{FLOW}categories = []",
        '4: [flows.a] categories: must be a list of at least one string, like ["OTHER"], not [].',
    ),
    (
        f'{FLOW}categories = "O"',
        "4: [flows.a] categories: must be a list of at least one string, like [\"OTHER\"], not 'O'.",
    ),
    (
        f'{FLOW}categories = [""]',
        "4: [flows.a] categories: must be a list of at least one string, like [\"OTHER\"], not [''].",
    ),
    (f"{FLOW}endpoint = 3", "4: [flows.a] endpoint: must be a string that is not empty, not 3."),
    ('\n[flows.a]\nfile = "a.json"\ncategories = ["OTHER"]', "2: [flows.a] has no name."),
    ('[flows."a b"]\nname = "A"\ncategories = ["OTHER"]', '1: [flows."a b"] has no file.'),
    ('[flows.a]\nname = " "', "2: [flows.a] name: must be a string that is not empty, not ' '."),
    (FLOW, "1: [flows.a] has no categories: name at least one, here or in [defaults]."),
    ("flows = 1", "1: [flows] must be a table, not 1."),
    ("[flows]\na = 1", "2: [flows.a] must be a table, not 1."),
    ("[[defaults]]", "1: [defaults] must be a table, not [{}]."),
    (f"{A}{B.replace('B', 'A')}", "7: [flows.b] name: 'A' is already the name of [flows.a]."),
    (f"{A}file2 = 1", "5: [flows.a] unknown key 'file2': did you mean 'file'?"),
    ("[flows", "1: not valid TOML: Expected ']' at the end of a table declaration at the end."),
    ("a = 1\nb", "2: not valid TOML: Expected '=' after a key in a key/value pair at the end."),
    (f"{A}name = 'B'\n", "5: not valid TOML: Cannot overwrite a value at column 11."),
]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("text", "expected"), EACH)
def test_an_error_names_file_line_table_and_key(text: str, expected: str) -> None:
    """It also suggests the name that may be meant."""
    assert mistake(text) == f"flows.toml:{expected}"


@pytest.mark.usefixtures("folder")
def test_errors_of_the_whole_file() -> None:
    """No flows, an unknown environment, too deep nesting."""
    assert mistake("") == 'flows.toml has no flows: add a table like [flows.booking] with "file" and "name".'
    assert mistake(ENVIRONMENTS, "stagin") == "flows.toml has no environment 'stagin': did you mean 'staging'?"
    assert mistake(A, "x") == "flows.toml has no environment 'x': there are none."
    assert mistake("a = " + "[" * 100_000) == "flows.toml: not valid TOML: it is nested too deeply."


@pytest.mark.usefixtures("folder")
def test_names_are_compared_after_the_environment_is_applied() -> None:
    """An environment may give two flows the same name."""
    text = f'{A}{B}[env.x.flows.b]\nname = "A"\n'
    assert len(read(text).flows) == 2
    assert mistake(text, "x") == "flows.toml:10: [env.x.flows.b] name: 'A' is already the name of [flows.a]."


TOKEN = "EAAG" + "m0PX4ZCpsBAKZBx" * 3


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f'{A}access_token = "{TOKEN}"', "5: [flows.a] access_token"),
        ('app_secret = "abc"', "1: app_secret"),
        ('[env.x]\nApi-Key = "abc"', "2: [env.x] Api-Key"),
        (f'[variables]\nx = "Bearer {TOKEN}"', "2: [variables] x"),
        (f'waba_id = "{TOKEN}"', "1: waba_id"),
        (f'[defaults]\ncategories = ["{TOKEN}"]', "2: [defaults] categories"),
    ],
)
def test_a_secret_is_refused_and_not_shown(text: str, place: str) -> None:
    """The error says where it belongs."""
    assert mistake(text) == (
        f"flows.toml:{place}: secrets must not be in this file. The access token is read from "
        "WHATSAPP_FLOWS_ACCESS_TOKEN or --token-file, the app secret from WHATSAPP_FLOWS_APP_SECRET."
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'[flows.{TOKEN}]\nfile = "a.json"\nname = "A"', 1),
        (f'{A}[env."x {TOKEN}"]\nwaba_id = "7"', 5),
        (f'{A}{TOKEN} = "x"', 5),
        (f'{A}[flows.{TOKEN}]\napp_secret = "x"', 5),
        (f'[flows.{TOKEN}]\nname = "A"\n[flows.{TOKEN}]\nname = "B"', 3),
        (f'[flows.{TOKEN}]\nname = "A\n', 2),
    ],
)
def test_a_token_used_as_a_name_is_not_shown(text: str, line: int) -> None:
    """Neither as a table or a key, nor in a text that is not TOML."""
    message = mistake(text)
    assert message.startswith(f"flows.toml:{line}: ")
    assert TOKEN[:12] not in message


@pytest.mark.usefixtures("folder")
def test_a_flow_may_be_called_like_a_secret() -> None:
    """`reset_password` is a common name of a flow."""
    assert read(A.replace("flows.a", "flows.reset_password")).flows[0].key == "reset_password"


def test_an_unreadable_file_is_named_by_its_path(folder: Path) -> None:
    """A missing flows.toml, and one that is not text."""
    with pytest.raises(ConfigurationError, match=r"^flows.toml cannot be read: No such file or directory\.$"):
        read_workspace(Path("flows.toml"))
    (folder / "flows.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"^flows.toml is not UTF-8: byte 0"):
        read_workspace(Path("flows.toml"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "a.json cannot be read: No such file or directory."),
        (b"[]", "a.json must be a JSON object, not list."),
        (b"{", "a.json is not JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        (b'{\n"a": "{{whoo}}"}', "a.json:2: unknown variable 'whoo': did you mean 'who'?"),
        (b" " * (10 * 1024 * 1024 + 1), "a.json has 10485761 bytes or more; Meta takes at most 10485760 (10 MB)."),
    ],
)
def test_an_invalid_flow_json_file_is_named_with_its_table(folder: Path, content: bytes | None, expected: str) -> None:
    """The error has the place of `file`, and what is wrong in the file."""
    (folder / "a.json").unlink()
    if content is not None:
        (folder / "a.json").write_bytes(content)
    assert mistake(f'{A}[variables]\nwho = "x"') == f"flows.toml:2: [flows.a] file: {expected}"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_is_neither_read_nor_waited_for(folder: Path) -> None:
    """In the place of a Flow JSON, and beside one, where it is not reported as an unused Flow JSON."""
    os.mkfifo(folder / "pipe.json")
    assert "not name pipe.json" not in "".join(read(A).warnings)
    message = mistake(A.replace("a.json", "pipe.json"))
    assert message == "flows.toml:2: [flows.a] file: pipe.json cannot be read: it is not a regular file."


def test_the_flow_json_is_read_unchanged(folder: Path) -> None:
    """Without variables the bytes of the file are sent, and no repr shows them."""
    (flow,) = read(A, only=("a",)).flows
    assert flow.content == FLOW_JSON
    assert "FIRST" not in repr(flow)
    assert read(A).warnings == ("flows.toml does not name b.json",)


VARIABLES = f"""{A}
[variables]
who = "everybody"
where = "here"
[flows.a.variables]
where = "there"
[env.x.variables]
who = "staging"
[env.x.flows.a.variables]
where = "nowhere"
"""


@pytest.mark.parametrize(("env", "expected"), [(None, "everybody there"), ("x", "staging nowhere")])
def test_variables_are_replaced_in_the_flow_json(folder: Path, env: str | None, expected: str) -> None:
    """A flow's variables override those of the file, and an environment's override both."""
    (folder / "a.json").write_text(json.dumps(valid_flow(title="{{who}} {{where}}")))
    (flow,) = read(VARIABLES, env).flows
    assert json.loads(flow.content)["title"] == expected
    assert f"{flow.variables['who']} {flow.variables['where']}" == expected


def test_the_endpoint_is_a_variable(folder: Path) -> None:
    """A flow's endpoint is also a variable; a variable of that name overrides it."""
    (folder / "a.json").write_text('{"uri": "{{endpoint}}"}')
    endpoint = 'endpoint = "https://a.example"\n'
    assert json.loads(read(f"{A}{endpoint}").flows[0].content) == {"uri": "https://a.example"}
    own = f"[variables]\n{endpoint.replace('a.example', 'b.example')}"
    assert json.loads(read(f"{A}{endpoint}{own}").flows[0].content) == {"uri": "https://b.example"}
    assert mistake(A).endswith("a.json:1: unknown variable 'endpoint': there are none.")


def test_unused_variables_and_files_are_warnings(folder: Path) -> None:
    """A variable that no file has, and a Flow JSON that no table names; but no other JSON file."""
    (folder / "package.json").write_text('{"name": "x"}')
    (folder / "flows.lock.json").write_text("{}")
    assert read(VARIABLES).warnings == (
        "flows.toml:7: [variables] who: no file uses this variable.",
        "flows.toml:10: [flows.a.variables] where: no file uses this variable.",
        "flows.toml does not name b.json",
    )


def test_flows_are_chosen_by_key_or_name(folder: Path) -> None:
    """The order is that of the file; other files are not read, and cause no warnings."""
    text = A + B + B.replace("flows.b", "flows.c").replace('"B"', '"C"')
    assert [flow.key for flow in read(text, only=("C", "a", "a")).flows] == ["a", "c"]
    (folder / "b.json").unlink()
    chosen = read(text, only=("A",))
    assert ([flow.key for flow in chosen.flows], chosen.warnings) == (["a"], ())
    with pytest.raises(ConfigurationError, match=r"flows.toml has no flow 'sola': known are A, B, C, a, b, c\."):
        read(text, only=("sola",))


def test_the_lock_file_is_named_after_the_file_and_the_environment() -> None:
    """So no two of them share one."""
    assert lock_file_of(Path("x/flows.toml"), None) == Path("x/flows.lock.json")
    assert lock_file_of(Path("x/other.toml"), "eu-1") == Path("x/other.eu-1.lock.json")
    assert lock_file_of(Path("pyproject.toml"), "eu-1") == Path("flows.eu-1.lock.json")
