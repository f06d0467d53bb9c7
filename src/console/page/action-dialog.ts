/**
 * An order to the cluster: what it will do and what is left afterwards is shown first; it goes out with
 * a reason, and where it is dangerous with a name typed by hand. A preview binds what is
 * confirmed to what was seen.
 */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ActionPreview, ActionRequest, Sentence } from "../api.ts";
import { button } from "./common-views.ts";
import { el, names } from "./dom.ts";
import { stateIcon } from "./icons.ts";
import { t } from "./preferences.ts";
import { confirm, preview } from "./requests.ts";
import { dialog, notice } from "./store.ts";

const DEADLINES_S = [0, 30, 60, 300, 3600] as const;

interface Draft {
  readonly weight: string;
  readonly deadlineS: number;
  readonly reason: string;
  readonly typed: string;
}

/** What was asked, and the answer: it stays in view, with what is typed beside it, until the next one is there. */
interface Seen {
  readonly asked: string;
  readonly answer: ActionPreview;
}

export function ActionDialog({ request }: { readonly request: ActionRequest }): VNode {
  const [draft, setDraft] = useState<Draft>({ weight: "", deadlineS: 0, reason: "", typed: "" });
  const [seen, setSeen] = useState<Seen | undefined>(undefined);
  const [trouble, setTrouble] = useState("");
  const [isSending, setSending] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const wanted = completed(request, draft);
  const asked = `${JSON.stringify(wanted)} ${attempt}`;
  const isCurrent = seen?.asked === asked;
  const change = (part: Partial<Draft>): void => {
    setDraft((before) => ({ ...before, ...part }));
    setTrouble("");
  };
  useEffect(() => {
    let isWanted = true;
    preview(wanted).then(
      (answer) => {
        if (isWanted) setSeen({ asked, answer });
      },
      (error: Error) => {
        if (!isWanted) return;
        setSeen(undefined);
        setTrouble(error.message);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [asked]);
  const send = (event: Event): void => {
    event.preventDefault();
    const token = isCurrent ? seen.answer.confirm : undefined;
    if (token === undefined || isSending) return;
    setSending(true);
    const typed = seen?.answer.override === undefined ? {} : { override: draft.typed };
    confirm({ ...wanted, confirm: token, reason: draft.reason.trim(), ...typed }).then(
      ({ sentence }) => {
        notice.value = { text: sentence.text, isBad: false };
        dialog.value = undefined;
      },
      (error: Error) => {
        setSending(false);
        setTrouble(error.message);
        // What was confirmed is spent: the state of now is looked at, and may be confirmed again.
        setAttempt(attempt + 1);
      },
    );
  };
  const isIdle = isCurrent && !isSending;
  return form({ request, draft, seen: seen?.answer, isCurrent, isIdle, trouble, change, send });
}

function completed(request: ActionRequest, { weight, deadlineS }: Draft): ActionRequest {
  const { action } = request;
  if (action === "weight") return { ...request, weight: weight === "" ? null : Number(weight) };
  const hasDeadline = (action === "drain" || action === "maintenance") && deadlineS > 0;
  return hasDeadline ? { ...request, deadlineMs: deadlineS * 1000 } : request;
}

interface FormProps {
  readonly request: ActionRequest;
  readonly draft: Draft;
  readonly seen: ActionPreview | undefined;
  /** `seen` is of what is wanted now. */
  readonly isCurrent: boolean;
  /** And nothing is on its way. */
  readonly isIdle: boolean;
  readonly trouble: string;
  readonly change: (part: Partial<Draft>) => void;
  readonly send: (event: Event) => void;
}

function form(props: FormProps): VNode {
  const { request, draft, seen, isCurrent, isIdle, trouble, change, send } = props;
  const mustType = seen?.override;
  const isReady =
    seen?.confirm !== undefined &&
    draft.reason.trim() !== "" &&
    (mustType === undefined || draft.typed === mustType);
  return el(
    "form",
    { class: "action-form", onSubmit: send },
    settings(request, draft, change),
    seen === undefined && trouble === ""
      ? el("p", { class: "muted", role: "status" }, t("action.previewing"))
      : null,
    seen === undefined ? null : consequences(seen, isCurrent),
    seen?.confirm === undefined ? null : assent(draft, mustType, change),
    el("p", { class: "trouble", role: "alert" }, trouble),
    el(
      "div",
      { class: "buttons" },
      button(t("action.cancel"), () => (dialog.value = undefined)),
      seen?.confirm === undefined
        ? null
        : el(
            "button",
            {
              type: "submit",
              class: names("button", mustType === undefined ? "primary" : "danger"),
              disabled: !isReady || !isIdle,
            },
            t(`action.${request.action}`),
          ),
    ),
  );
}

/** Why, and the name that a dangerous order wants. */
function assent(draft: Draft, mustType: string | undefined, change: FormProps["change"]): VNode {
  return el(
    "div",
    null,
    el(
      "label",
      { class: "field" },
      t("action.reason"),
      el("input", {
        type: "text",
        required: true,
        maxLength: 500,
        value: draft.reason,
        placeholder: t("action.reason-example"),
        onInput: (event: Event) => change({ reason: valueOf(event) }),
      }),
    ),
    mustType === undefined
      ? null
      : el(
          "label",
          { class: "field" },
          t("action.type-name", { name: mustType }),
          el("input", {
            type: "text",
            autoComplete: "off",
            spellCheck: false,
            value: draft.typed,
            onInput: (event: Event) => change({ typed: valueOf(event) }),
          }),
        ),
  );
}

function settings(
  { action }: ActionRequest,
  draft: Draft,
  change: FormProps["change"],
): VNode | null {
  if (action === "weight") {
    return el(
      "label",
      { class: "field" },
      t("action.weight-field"),
      el("input", {
        type: "number",
        min: 0,
        max: 256,
        step: 1,
        value: draft.weight,
        placeholder: t("action.as-configured"),
        onInput: (event: Event) => change({ weight: valueOf(event) }),
      }),
    );
  }
  if (action !== "drain" && action !== "maintenance") return null;
  return el(
    "label",
    { class: "field" },
    t("action.deadline"),
    el(
      "select",
      {
        value: String(draft.deadlineS),
        onChange: (event: Event) => change({ deadlineS: Number(valueOf(event)) }),
      },
      DEADLINES_S.map((seconds) =>
        el(
          "option",
          { key: seconds, value: String(seconds) },
          seconds === 0 ? t("action.no-deadline") : t("action.deadline-seconds", { seconds }),
        ),
      ),
    ),
  );
}

function consequences(seen: ActionPreview, isCurrent: boolean): VNode {
  const { moves, left, refused, command, override } = seen;
  return el(
    "div",
    { class: "consequences", "aria-busy": !isCurrent },
    refused === undefined
      ? null
      : el(
          "div",
          { class: "refused tone-bad", role: "alert" },
          stateIcon("DOWN", 18),
          el(
            "div",
            null,
            el("strong", null, t(override === undefined ? "action.refused" : "action.dangerous")),
            el("span", { class: "under" }, refused.text),
          ),
        ),
    list(t("action.moves"), moves, t("action.moves-nothing")),
    list(t("action.left"), left, ""),
    el("h3", null, t("action.command")),
    el("code", { class: "command" }, command),
  );
}

function list(title: string, sentences: readonly Sentence[], none: string): VNode | null {
  if (sentences.length === 0 && none === "") return null;
  return el(
    "div",
    null,
    el("h3", null, title),
    sentences.length === 0
      ? el("p", { class: "muted" }, none)
      : el(
          "ul",
          { class: "lines" },
          sentences.map((sentence) => el("li", { key: sentence.text }, sentence.text)),
        ),
  );
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement | HTMLSelectElement).value;
}
