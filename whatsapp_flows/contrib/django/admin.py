"""The admin of the flows: what state they are in, two actions, and a preview."""

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
_FINDINGS: Final = 100  # of one flow on its page
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _readable(category: str) -> str:
    return category.replace("_", " ").capitalize()


class ReadableJSONField(forms.JSONField):
    """A JSON value, indented. What Python cannot read is a message at the field, never an error page."""

    def prepare_value(self, value: Any) -> Any:
        """The text in the box; what a person has typed stays as it is."""
        if value is None:
            return ""  # an empty box, not the word "null"
        if isinstance(value, str) or self.disabled:
            return super().prepare_value(value)
        text = json.dumps(value, indent=2, ensure_ascii=False, cls=self.encoder)
        return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)

    def to_python(self, value: Any) -> Any:
        """The value. Raises `ValidationError` also for nesting and numbers beyond what Python reads."""
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": ""}) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed."""
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)


class WhatsAppFlowForm(forms.ModelForm):  # type: ignore[type-arg]
    """
    A flow with a box in which its Flow JSON can be read.

    A new or changed Flow JSON in which Meta would find errors is refused. One that was saved otherwise, or that has
    become wrong since (Meta freezes old versions), does not keep anybody from changing the rest.
    """

    categories = forms.MultipleChoiceField(
        choices=[(word, _readable(word)) for word in FLOW_CATEGORIES],
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
        has = self.instance.categories if isinstance(self.instance.categories, list) else []
        more = [word for word in has if isinstance(word, str) and word not in FLOW_CATEGORIES]
        field = self.fields["categories"]
        if more and isinstance(field, forms.MultipleChoiceField):
            field.choices = [
                (word, _readable(word)) for word in (*FLOW_CATEGORIES, *more)
            ]  # a word that is there may stay

    def clean_flow_json(self) -> Any:
        """The Flow JSON, if Meta would take it."""
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

    A call to Meta that is made here ends after `WHATSAPP_FLOWS["ADMIN_MAX_ELAPSED"]` seconds, its repetitions included,
    because a web worker waits for it. A project with a task queue overrides `sync`.
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

    # The two pages that talk to Meta are never inside a transaction, also under ATOMIC_REQUESTS.

    @method_decorator(transaction.non_atomic_requests)
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with its actions."""
        return super().changelist_view(request, extra_context)

    @method_decorator([never_cache, transaction.non_atomic_requests])
    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To Meta's preview of a flow. The link is asked for when it is needed: whoever has it can open the flow."""
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
        """The admin's own, and the preview's."""
        preview = self.admin_site.admin_view(self.preview_view)
        return [
            path("<path:object_id>/preview/", preview, name="whatsapp_flows_whatsappflow_preview"),
            *super().get_urls(),
        ]

    # -- what is done

    def sync(self, flows: QuerySet[WhatsAppFlow], *, publish: bool) -> Iterable[SyncResult] | None:
        """
        What the actions do. A project with a task queue puts the ids of the rows on it here, and returns None.
        """
        settings = read_settings()
        with admin_client(settings) as client:
            return sync_flows(flows, publish=publish, client=client)

    def expected(self, flows: QuerySet[WhatsAppFlow]) -> list[tuple[WhatsAppFlow, SyncResult]]:
        """
        What publishing would make of each flow, before anybody says yes: a dry run, which reads from Meta.

        Raises the `FlowsError` of settings that cannot be used.
        """
        chosen = list(flows)
        with admin_client(read_settings()) as client:
            results = {result.name: result for result in sync_flows(chosen, publish=True, dry_run=True, client=client)}
        return [(flow, results[flow.name]) for flow in chosen]

    @admin.action(description=_("Sync the selected flows with Meta"), permissions=("change",))
    def sync_with_meta(self, request: HttpRequest, queryset: QuerySet[WhatsAppFlow]) -> None:
        """Bring them to Meta. What is published and would have to change is left alone."""
        self._run(request, queryset, publish=False)

    @admin.action(description=_("Sync and publish the selected flows"), permissions=("change",))
    def sync_and_publish(self, request: HttpRequest, queryset: QuerySet[WhatsAppFlow]) -> TemplateResponse | None:
        """Bring them to Meta and publish them, once somebody has said yes: it is live then."""
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
            told = result.problem or f"{result.action} ({result.status})"
            self.message_user(request, f"Flow {result.name}: {told}", messages.SUCCESS if result.ok else messages.ERROR)

    def save_model(self, request: HttpRequest, obj: WhatsAppFlow, form: Any, change: bool) -> None:
        """Only what the form has: what a sync has written in the meantime stays."""
        obj.save(update_fields=list(form.cleaned_data) if change else None)

    # -- what is shown; all that comes from Meta is escaped

    @admin.display(description=_("Status"), ordering="sync_status")
    def status(self, flow: WhatsAppFlow) -> SafeString:
        """The state in its colour."""
        colour = _COLOURS.get(SyncStatus(flow.sync_status), "")
        badge = "display:inline-block;padding:1px 8px;border-radius:9px;color:#fff;background:{}"
        since = ""
        if flow.sync_status == SyncStatus.SYNCING and flow.syncing_since is not None:
            since = f" {_('since')} {date_format(timezone.localtime(flow.syncing_since), 'DATETIME_FORMAT')}"
        return format_html(f'<span style="{badge}">{{}}</span>{{}}', colour, SyncStatus(flow.sync_status).label, since)

    @admin.display(description=_("Error"))
    def error(self, flow: WhatsAppFlow) -> SafeString | str:
        """What the last sync failed with; what is still wrong in the Flow JSON stands under the findings alone."""
        told = set(first_lines(errors_of(flow.flow_json)))
        lines = ((line,) for line in flow.sync_error.splitlines() if line not in told)
        return format_html_join("", "<div>{}</div>", lines) or "-"

    @admin.display(description=_("Findings"))
    def findings(self, flow: WhatsAppFlow) -> SafeString | str:
        """What Meta would find wrong in what is saved."""
        lines = first_lines(errors_of(flow.flow_json), most=_FINDINGS)
        if not lines:
            return gettext("no errors")
        return format_html("<ul style='margin:0'>{}</ul>", format_html_join("", "<li>{}</li>", ((it,) for it in lines)))

    def get_fieldsets(self, request: HttpRequest, obj: WhatsAppFlow | None = None) -> Any:
        """Without the findings where they are told at the form, or where nothing is saved yet."""
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
        """A link to Meta's preview, for a flow that is there."""
        if flow.pk is None or not flow.flow_id:
            return "-"
        url = reverse(f"{self.admin_site.name}:whatsapp_flows_whatsappflow_preview", args=(flow.pk,))
        return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, _("Preview"))


def admin_client(settings: AppSettings) -> FlowsClient:
    """A client that gives up early, because a web worker waits for it: see `ADMIN_MAX_ELAPSED`."""
    client = settings.client()
    policy = client.options.retry_policy
    if not isinstance(policy, ExponentialBackoff):  # the settings name no other
        policy = ExponentialBackoff(jitter=equal_jitter)
    return client.with_options(retry_policy=replace(policy, max_elapsed=settings.admin_max_elapsed))
