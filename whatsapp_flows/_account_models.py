"""Meta's answers about a WhatsApp Business Account and its phone numbers. They are public in `models`."""

from __future__ import annotations

from ._dataclasses import dataclass, field
from ._fields import Raw, nested, objects, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedFlow:
    """
    A copy that was made.

    `adopted`: its answer was lost, and it was found in the destination by its name; it may have been there before.
    """

    source_name: str
    source_id: str | None
    migrated_id: str
    adopted: bool = False
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationFailure:
    """A flow that was not copied. 4233041 has two meanings, which the message tells apart."""

    source_name: str
    error_code: int | None = None
    error_message: str = ""
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """The outcome for each flow. A partial failure raises no exception. `raw`: Meta's answer, or answers."""

    migrated: tuple[MigratedFlow, ...] = ()
    failed: tuple[MigrationFailure, ...] = ()
    raw: tuple[Raw, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> Migration:
        """From `{migrated_flows, failed_flows}`."""
        return cls(
            migrated=tuple(
                MigratedFlow(
                    source_name=text(flow, "source_name") or "",
                    source_id=text(flow, "source_id"),
                    migrated_id=text(flow, "migrated_id") or "",
                    raw=flow,
                )
                for flow in objects(found, "migrated_flows")
            ),
            failed=tuple(
                MigrationFailure(
                    source_name=text(flow, "source_name") or "",
                    error_code=whole(flow, "error_code"),
                    error_message=text(flow, "error_message") or "",
                    raw=flow,
                )
                for flow in objects(found, "failed_flows")
            ),
            raw=(found,),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """
    The key that Meta encrypts with for a phone number.

    `status` is VALID or MISMATCH; a number without a key reports MISMATCH, and `pem` is empty.
    """

    pem: str = ""
    status: str = ""
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> PublicKey:
        """From either shape that Meta documents: the two keys at the top, or in `data[0]`."""
        source = next(iter(objects(found, "data")), found)
        return cls(
            pem=(text(source, "business_public_key") or "").strip(),
            status=text(source, "business_public_key_signature_status") or "",
            raw=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A phone number of the account."""

    id: str
    display_phone_number: str = ""
    verified_name: str = ""
    quality_rating: str = ""
    status: str = ""
    code_verification_status: str = ""
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> PhoneNumber:
        """From an item of the phone_numbers edge."""
        return cls(
            id=text(found, "id") or "",
            display_phone_number=text(found, "display_phone_number") or "",
            verified_name=text(found, "verified_name") or "",
            quality_rating=text(found, "quality_rating") or "",
            status=text(found, "status") or "",
            code_verification_status=text(found, "code_verification_status") or "",
            raw=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribedApp:
    """An app that receives the account's webhooks."""

    id: str = ""
    name: str = ""
    link: str = ""
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> SubscribedApp:
        """From either shape: the fields themselves, or inside `whatsapp_business_api_data`."""
        source = nested(found, "whatsapp_business_api_data") or found
        return cls(
            id=text(source, "id") or "",
            name=text(source, "name") or "",
            link=text(source, "link") or "",
            raw=found,
        )
