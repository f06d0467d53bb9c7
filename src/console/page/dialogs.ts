/** Windows over the page: one at a time, closed by Esc, with the focus inside and given back afterwards. */

import type { ComponentChildren, VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ActionDialog } from "./action-dialog.ts";
import { button } from "./common-views.ts";
import { el, part } from "./dom.ts";
import { lineIcon } from "./icons.ts";
import { t } from "./preferences.ts";
import { RequestError, signIn } from "./requests.ts";
import { SearchBox } from "./search-box.ts";
import { dialog } from "./store.ts";
import type { TextKey } from "./texts.ts";

export function Dialogs({ onSignedIn }: { readonly onSignedIn: () => void }): VNode | null {
  const open = dialog.value;
  if (open === undefined) return null;
  if (open.kind === "action") {
    const { request } = open;
    return part(
      Window,
      {
        key: `${request.action} ${request.subject}`,
        title: `${t(`action.${request.action}`)}: ${request.subject}`,
      },
      part(ActionDialog, { request }),
    );
  }
  if (open.kind === "sign-in")
    return part(
      Window,
      { key: "sign-in", title: t("sign-in.title") },
      part(SignIn, { onSignedIn }),
    );
  if (open.kind === "search")
    return part(Window, { key: "search", title: t("search.title") }, part(SearchBox, {}));
  return part(Window, { key: "help", title: t("help.title") }, help());
}

interface WindowProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

function Window({ title, children }: WindowProps): VNode {
  const element = useRef<HTMLDialogElement>(null);
  const own = useRef(dialog.peek());
  // Its close event comes some ms after Esc; what was opened by a key in between stays open.
  const end = (): void => {
    if (dialog.peek() === own.current) dialog.value = undefined;
  };
  // In one go with what is drawn and taken away: a key pressed in between must not be lost.
  useLayoutEffect(() => {
    const opened = element.current!;
    opened.showModal();
    // Otherwise the first thing in the focus is the button that closes it all.
    const wanted = opened.querySelector<HTMLElement>("[autofocus]");
    const first = wanted ?? opened.querySelector<HTMLElement>("h2");
    first?.focus();
    // Closed while it is still there, it gives the focus back to where it was.
    return () => opened.close();
  }, []);
  return el(
    "dialog",
    {
      ref: element,
      class: "window",
      "aria-labelledby": "window-title",
      onCancel: end,
      onClose: end,
    },
    el(
      "header",
      null,
      el("h2", { id: "window-title", tabIndex: -1 }, title),
      el(
        "button",
        {
          type: "button",
          class: "button icon",
          "aria-label": t("window.close"),
          onClick: () => element.current!.close(),
        },
        lineIcon("close"),
      ),
    ),
    children,
  );
}

function SignIn({ onSignedIn }: { readonly onSignedIn: () => void }): VNode {
  const [trouble, setTrouble] = useState("");
  const [token, setToken] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    signIn(token.trim()).then(
      () => {
        dialog.value = undefined;
        onSignedIn();
      },
      (error: RequestError) => setTrouble(error.message),
    );
  };
  return el(
    "form",
    { onSubmit: submit },
    el("p", { class: "muted" }, t("sign-in.help")),
    el("code", { class: "command" }, "nines token create NAME --role operate"),
    el(
      "label",
      { class: "field" },
      t("sign-in.token"),
      el("input", {
        type: "password",
        autoComplete: "current-password",
        autoFocus: true,
        required: true,
        value: token,
        onInput: (event: Event) => setToken((event.target as HTMLInputElement).value),
      }),
    ),
    el("p", { class: "trouble", role: "alert" }, trouble),
    el(
      "div",
      { class: "buttons" },
      el(
        "button",
        { type: "submit", class: "button primary", disabled: token.trim() === "" },
        t("sign-in.enter"),
      ),
    ),
  );
}

const KEYS: readonly (readonly [string, TextKey])[] = [
  ["/", "help.search"],
  ["g o", "nav.overview"],
  ["g t", "help.topology"],
  ["g e", "nav.events"],
  ["g i", "nav.incidents"],
  ["g d", "nav.drills"],
  ["g n", "nav.nodes"],
  ["[  ]", "help.steps"],
  ["t", "help.theme"],
  ["l", "help.language"],
  ["?", "help.title"],
  ["Esc", "help.close"],
];

function help(): VNode {
  return el(
    "div",
    null,
    el(
      "dl",
      { class: "keys" },
      KEYS.map(([key, text]) =>
        el("div", { key }, el("dt", null, el("kbd", null, key)), el("dd", null, t(text))),
      ),
    ),
    el(
      "div",
      { class: "buttons" },
      button(t("window.close"), () => (dialog.value = undefined)),
    ),
  );
}
