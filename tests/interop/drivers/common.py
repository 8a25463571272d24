"""A document, a key and an assertion for all drivers. Standard library only: each driver has its own environment."""

import sys
from urllib.parse import urlsplit

DOCUMENT = {
    "version": "7.3",
    "screens": [
        {
            "id": "START",
            "title": "Survey",
            "terminal": True,
            "layout": {
                "type": "SingleColumnLayout",
                "children": [
                    {"type": "Footer", "label": "Done", "on-click-action": {"name": "complete", "payload": {}}}
                ],
            },
        }
    ],
}
PEM = """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxruo2mcxcLAgK43Zjgwr
fRZ+ZJMWgg8Li1T7il6UWMrhxcNVi+3RLbhYshRtnmhjHsoywkVtuJMceeT6mNyT
AhqjAh0aL5R7m61ZDGszqRSHJJ9jGm+s7m+U9xZsbqW/UNCYLyHXUbCTx93FdEl/
lTvCmluushGjNQ82upGDxx0G9fbbpMS3W8ks81KG+nIkkpPytR6rJ3TUzPGpDyu+
YilV57iKZZokfVclwcXTOCRLYwptYV0pGTIx1spAcX6OWTGC4iUUS3Z9nqRRezCI
UReGtH/STxhyF6RqUl0wIS0w74804uNmKM09qlCmsdTAaiG5JggD34C4mScIyLIf
cQIDAQAB
-----END PUBLIC KEY-----
"""


def expect(holds, found=""):
    """End the driver when something is not as it should be, and say where."""
    if not holds:
        frame = sys._getframe(1)
        sys.exit(f"line {frame.f_lineno} of {frame.f_code.co_filename}: not as expected: {found!r}")


def version_path(url):
    """The path of a base URL: the version that a client asks for."""
    return urlsplit(url).path.rstrip("/")
