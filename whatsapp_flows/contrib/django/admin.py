"""The admin of the flows: their state, two actions, and a preview."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import django
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from ..._vocabulary import FLOW_CATEGORIES
from ...client import FlowsClient
from ...errors import ConfigurationError, FlowsError
from ...retry import ExponentialBackoff, equal_jitter
from .checks import errors_of, first_lines
from .conf import AppSettings, read_settings
from .models import SyncStatus, WhatsAppFlow, other, unstorable
from .services import SyncResult, sync_flows

_COLOURS: Final = {
    SyncStatus.DRAFT: "#6c757d",
    SyncStatus.SYNCING: "#0b6aa8",
    SyncStatus.PUBLISHED: "#18794e",
    SyncStatus.ERROR: "#ba2121",
}
_MAX_FINDINGS: Final = 100  # of one flow on its page
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _readable(category: str) -> str:
    return category.replace("_", " ").capitalize()


class ReadableJSONField(forms.JSONField):
    """An indented JSON value. Invalid JSON is always a message at the field, not a server error."""

    def prepare_value(self, value: Any) -> Any:
        """The text of the field; submitted text is not changed."""
        if value is None:
            return ""  # an empty field, not the text "null"
        if isinstance(value, str) or self.disabled:
            return super().prepare_value(value)
        text = json.dumps(value, indent=2, ensure_ascii=False, cls=self.encoder)
        return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)

    def to_python(self, value: Any) -> Any:
        """The value. Also raises `ValidationError` for nesting and numbers beyond Python's limits."""
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": ""}) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """The submitted text."""
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)


class WhatsAppFlowForm(forms.ModelForm):  # type: ignore[type-arg]
    """
    The form of a flow, with its Flow JSON as indented text.

    A new or changed Flow JSON with errors is rejected. An unchanged one that is invalid (if it was saved elsewhere,
    or Meta has frozen its version) does not prevent changes to the other fields.
    """

    categories = forms.MultipleChoiceField(
        choices=[(name, _readable(name)) for name in FLOW_CATEGORIES],
        initial=other,
        widget=forms.CheckboxSelectMultiple,
        label=_("Categories"),
        help_text=_("At least one."),
    )

    class Meta:
        model = WhatsAppFlow
        fields = ("name", "friendly_name", "description", "categories", "endpoint_uri", "is_active", "flow_json")
        field_classes: ClassVar = {"flow_json": ReadableJSONField}
        widgets: ClassVar = {
            "flow_json": forms.Textarea(
                attrs={"rows": 30, "cols": 100, "spellcheck": "false", "class": "vLargeTextField"}
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.categories if isinstance(self.instance.categories, list) else []
        others = [name for name in stored if isinstance(name, str) and name not in FLOW_CATEGORIES]
        field = self.fields["categories"]
        if others and isinstance(field, forms.MultipleChoiceField):
            field.choices = [
                (name, _readable(name)) for name in (*FLOW_CATEGORIES, *others)
            ]  # a stored category may be kept

    def clean_flow_json(self) -> Any:
        """The Flow JSON. Raises `ValidationError` if it was changed and has errors."""
        flow_json = self.cleaned_data["flow_json"]
        if "flow_json" in self.changed_data and isinstance(flow_json, dict) and not unstorable(flow_json):
            errors = errors_of(flow_json)
            if errors:
                raise ValidationError(first_lines(errors))
        return flow_json


@admin.register(WhatsAppFlow)
class WhatsAppFlowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """
    The flows of the project.

    A call to Meta from the admin ends after `WHATSAPP_FLOWS["ADMIN_MAX_ELAPSED"]` seconds, including retries, because a
    web worker waits for it. A project with a task queue overrides `sync`.
    """

    form = WhatsAppFlowForm
    list_display = ("name", "friendly_name", "status", "preview_link", "last_synced_at", "is_active", "flow_id")
    list_filter = ("sync_status", "is_active")
    search_fields = ("name", "friendly_name", "description", "flow_id")
    readonly_fields = ("status", "flow_id", "last_synced_at", "error", "findings", "preview_link")
    actions = ("sync_with_meta", "sync_and_publish")
    fieldsets = (
        (None, {"fields": ("name", "friendly_name", "description", "categories", "endpoint_uri", "is_active")}),
        (_("At Meta"), {"fields": ("status", "flow_id", "last_synced_at", "error", "preview_link")}),
        (_("Flow JSON"), {"fields": ("findings", "flow_json")}),
    )

    # The two pages that call Meta are not inside a transaction, also with ATOMIC_REQUESTS.

    @method_decorator(transaction.non_atomic_requests)
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list of flows, with its actions."""
        return super().changelist_view(request, extra_context)

    @method_decorator([never_cache, transaction.non_atomic_requests])
    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to Meta's preview of a flow. The link is not stored: anybody who has it can open the flow."""
        flow = self.get_object(request, object_id)
        if flow is None or not self.has_view_permission(request, flow):
            raise PermissionDenied
        try:
            with admin_client(read_settings()) as client:
                url = client.get_preview(flow.flow_id).url
            if urlsplit(url).scheme != "https":
                raise ConfigurationError("Meta gave no link to a preview.")
        except FlowsError as error:
            self.message_user(request, f"Flow {flow.name}: {error}", messages.ERROR)
            return HttpResponseRedirect(
                reverse(f"{self.admin_site.name}:whatsapp_flows_whatsappflow_change", args=(flow.pk,))
            )
        response = HttpResponseRedirect(url)
        response["Referrer-Policy"] = "no-referrer"
        return response

    def get_urls(self) -> list[URLPattern]:
        """Django's own, and the preview's."""
        preview = self.admin_site.admin_view(self.preview_view)
        return [
            path("<path:object_id>/preview/", preview, name="whatsapp_flows_whatsappflow_preview"),
            *super().get_urls(),
        ]

    # Actions

    def sync(self, flows: QuerySet[WhatsAppFlow], *, publish: bool) -> Iterable[SyncResult] | None:
        """
        Sync the selected flows. A project with a task queue overrides it: queue the ids of the rows, and return None.
        """
        settings = read_settings()
        with admin_client(settings) as client:
            return sync_flows(flows, publish=publish, client=client)

    def expected(self, flows: QuerySet[WhatsAppFlow]) -> list[tuple[WhatsAppFlow, SyncResult]]:
        """
        The expected result of publishing each flow, for the confirmation page: a dry run, which reads from Meta.

        Raises the `FlowsError` of invalid settings.
        """
        chosen = list(flows)
        with admin_client(read_settings()) as client:
            results = {result.name: result for result in sync_flows(chosen, publish=True, dry_run=True, client=client)}
        return [(flow, results[flow.name]) for flow in chosen]

    @admin.action(description=_("Sync the selected flows with Meta"), permissions=("change",))
    def sync_with_meta(self, request: HttpRequest, queryset: QuerySet[WhatsAppFlow]) -> None:
        """Sync without publishing. Published flows that would have to change are not changed."""
        self._run(request, queryset, publish=False)

    @admin.action(description=_("Sync and publish the selected flows"), permissions=("change",))
    def sync_and_publish(self, request: HttpRequest, queryset: QuerySet[WhatsAppFlow]) -> TemplateResponse | None:
        """Sync and publish, after a confirmation page, since published flows are live."""
        if request.POST.get("confirmed") == "yes":
            self._run(request, queryset, publish=True)
            return None
        request.current_app = self.admin_site.name
        try:
            expected = self.expected(queryset)
        except FlowsError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Publish flows"),
            "publishable": [(flow, result) for flow, result in expected if result.ok],
            "blocked": [(flow, result.problem.splitlines()) for flow, result in expected if not result.ok],
            "opts": self.opts,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "breadcrumbs_are_a_list": django.VERSION >= (6, 1),  # as in the admin's own pages
        }
        return TemplateResponse(request, "admin/whatsapp_flows/whatsappflow/publish.html", context)

    def _run(self, request: HttpRequest, queryset: QuerySet[WhatsAppFlow], *, publish: bool) -> None:
        try:
            results = self.sync(queryset, publish=publish)
        except FlowsError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        if results is None:
            self.message_user(request, _("The flows will be synced."), messages.INFO)
            return
        for result in results:
            outcome = result.problem or f"{result.action} ({result.status})"
            level = messages.SUCCESS if result.ok else messages.ERROR
            self.message_user(request, f"Flow {result.name}: {outcome}", level)

    def save_model(self, request: HttpRequest, obj: WhatsAppFlow, form: Any, change: bool) -> None:
        """Save the fields of the form only: a sync may have written the others meanwhile."""
        obj.save(update_fields=list(form.cleaned_data) if change else None)

    # Display; text from Meta is escaped

    @admin.display(description=_("Status"), ordering="sync_status")
    def status(self, flow: WhatsAppFlow) -> SafeString:
        """The status, as a coloured badge."""
        colour = _COLOURS.get(SyncStatus(flow.sync_status), "")
        badge = "display:inline-block;padding:1px 8px;border-radius:9px;color:#fff;background:{}"
        since = ""
        if flow.sync_status == SyncStatus.SYNCING and flow.syncing_since is not None:
            since = f" {_('since')} {date_format(timezone.localtime(flow.syncing_since), 'DATETIME_FORMAT')}"
        return format_html(f'<span style="{badge}">{{}}</span>{{}}', colour, SyncStatus(flow.sync_status).label, since)

    @admin.display(description=_("Error"))
    def error(self, flow: WhatsAppFlow) -> SafeString | str:
        """The error of the last sync, without the validation errors that `findings` shows."""
        findings = set(first_lines(errors_of(flow.flow_json)))
        lines = ((line,) for line in flow.sync_error.splitlines() if line not in findings)
        return format_html_join("", "<div>{}</div>", lines) or "-"

    @admin.display(description=_("Findings"))
    def findings(self, flow: WhatsAppFlow) -> SafeString | str:
        """The validation errors of the saved Flow JSON."""
        lines = first_lines(errors_of(flow.flow_json), most=_MAX_FINDINGS)
        if not lines:
            return gettext("no errors")
        return format_html(
            "<ul style='margin:0'>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines))
        )

    def get_fieldsets(self, request: HttpRequest, obj: WhatsAppFlow | None = None) -> Any:
        """Without `findings` when the form itself shows errors, and without any result for a new flow."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and request.method != "POST":
            return fieldsets
        left_out = {"findings"} if obj is not None else set(self.readonly_fields)
        return [
            (title, {**options, "fields": fields})
            for title, options in fieldsets
            if (fields := [name for name in options["fields"] if not isinstance(name, str) or name not in left_out])
        ]

    @admin.display(description=_("Preview"))
    def preview_link(self, flow: WhatsAppFlow) -> SafeString | str:
        """A link to Meta's preview, if the flow exists at Meta."""
        if flow.pk is None or not flow.flow_id:
            return "-"
        url = reverse(f"{self.admin_site.name}:whatsapp_flows_whatsappflow_preview", args=(flow.pk,))
        return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, _("Preview"))


def admin_client(settings: AppSettings) -> FlowsClient:
    """A client whose calls end after `ADMIN_MAX_ELAPSED` seconds, because a web worker waits for them."""
    client = settings.client()
    policy = client.options.retry_policy
    if not isinstance(policy, ExponentialBackoff):  # the settings can select no other policy
        policy = ExponentialBackoff(jitter=equal_jitter)
    return client.with_options(retry_policy=replace(policy, max_elapsed=settings.admin_max_elapsed))
