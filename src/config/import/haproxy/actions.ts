/** Actions of `http-request` and the like. Source: configuration manual, sections 4.2 and 4.3. */

import type { Data } from "../draft.ts";
import type { Edits } from "../edits.ts";
import type { Change } from "../routes.ts";
import { ecmascript, wholeText } from "../expressions.ts";
import { templateOf } from "./log-format.ts";

/** What a rule does, and its words from `if` or `unless` on. */
export type Action =
  | { readonly target: Data; readonly change?: Change; readonly rest: readonly string[] }
  | { readonly change: Change; readonly rest: readonly string[] }
  /** The rest of the rules of its kind is not looked at. */
  | { readonly skips: true; readonly rest: readonly string[] }
  | { readonly unneeded: string }
  | { readonly lost: string };

const UNKNOWN_VALUE = "Nines does not know this value";

/** The words after `http-request`; `tls`: whether clients come by TLS. */
export function requestAction(words: readonly string[], tls: boolean): Action {
  const [name = "", ...args] = words;
  switch (name) {
    case "set-header":
    case "add-header":
    case "del-header":
      return edit(name, args, "request", tls ? "https" : "http");
    case "replace-header":
      return valueChange(args, "request");
    case "deny":
      return denial(args, 403);
    case "tarpit":
      return denial(args, 500);
    case "reject":
    case "silent-drop":
      return { target: { respond: 403 }, rest: conditionIn(args) };
    case "return":
      return answer(args);
    case "redirect":
      return redirection(args);
    case "set-path":
    case "replace-path":
    case "replace-pathq":
    case "replace-uri":
      return rewriting(name, args);
    case "auth":
      return { target: { respond: 403 }, rest: conditionIn(args) };
    case "allow":
      return { skips: true, rest: conditionIn(args) };
    case "use-service":
      return { lost: "see nines metrics" };
    case "set-log-level":
    case "capture":
    case "set-var":
    case "unset-var":
      return { lost: `${name} has no counterpart` };
    default:
      return { lost: "Nines has no such action" };
  }
}

/** `http-response` and `http-after-response`; of each a backend's run before the frontend's. */
export function responseAction(words: readonly string[], isBackend: boolean): Action {
  const [kind, name = "", ...args] = words;
  const isEdit = ["set-header", "add-header", "del-header"].includes(name);
  const [inner, outer] =
    kind === "http-response"
      ? (["inner", "response"] as const)
      : (["innerAnswer", "answer"] as const);
  const side = isBackend ? inner : outer;
  if (name === "replace-header") return valueChange(args, side);
  return isEdit ? edit(name, args, side) : { lost: "Nines has no such action" };
}

function conditionIn(words: readonly string[]): readonly string[] {
  const start = words.findIndex((word) => word === "if" || word === "unless");
  return start < 0 ? [] : words.slice(start);
}

function wordsBefore(words: readonly string[]): readonly string[] {
  return words.slice(0, words.length - conditionIn(words).length);
}

/** Nines writes these itself. */
const FORWARDED: Readonly<Record<string, string>> = {
  "x-forwarded-for": "${source}",
  "x-forwarded-proto": "${scheme}",
  "x-forwarded-host": "${host}",
};

type Side = "request" | "inner" | "response" | "innerAnswer" | "answer";

/** `scheme`: of the request that is changed. */
function edit(name: string, args: readonly string[], side: Side, scheme?: string): Action {
  const [header = "", ...more] = args;
  const rest = conditionIn(args);
  const change = (edits: Edits): Action => ({ change: { [side]: edits }, rest });
  if (name === "del-header") {
    if (more.includes("-m")) return { lost: "headers are removed by their whole name" };
    return change({ remove: [header] });
  }
  const value = templateOf(wordsBefore(more).join(" "));
  if (value === undefined) return { lost: UNKNOWN_VALUE };
  const own = side === "request" ? FORWARDED[header.toLowerCase()] : undefined;
  if (own !== undefined && (value === own || (own === "${scheme}" && value === scheme))) {
    return { unneeded: "Nines sets X-Forwarded-For, -Proto and -Host itself" };
  }
  return change({ [name === "set-header" ? "set" : "add"]: { [header]: value } });
}

/** All of a value that the expression finds anything in becomes the new one. */
function valueChange(args: readonly string[], side: Side): Action {
  const [header = "", first = "", second = ""] = wordsBefore(args);
  if (/^(?:host|forwarded|x-forwarded-(?:for|host|port|proto))$/iu.test(header)) {
    return { lost: `${header} is written by Nines itself` };
  }
  const regex = ecmascript(first);
  if (regex === undefined) return { lost: "the expression is not one of ECMAScript" };
  const template = templateOf(second);
  if (template === undefined || template.includes("${")) return { lost: UNKNOWN_VALUE };
  const replaced = wholeReplaced(regex, template);
  if (replaced === undefined) return { lost: UNKNOWN_VALUE };
  const replace = { [header]: replaced };
  return { change: { [side]: { replace } }, rest: conditionIn(args) };
}

function denial(args: readonly string[], standard: number): Action {
  const words = wordsBefore(args);
  const index = words.findIndex((word) => word === "deny_status" || word === "status");
  const status = index < 0 ? standard : Number(words[index + 1]);
  return { target: { respond: status }, rest: conditionIn(args) };
}

function answer(args: readonly string[]): Action {
  const words = wordsBefore(args);
  const after = (name: string): string | undefined => {
    const index = words.indexOf(name);
    return index < 0 ? undefined : words[index + 1];
  };
  const formatted = after("lf-string");
  const text = after("string") ?? (formatted === undefined ? undefined : templateOf(formatted));
  const file = after("file");
  if (formatted !== undefined && (text === undefined || text.includes("${"))) {
    return { lost: "an answer is a fixed text" };
  }
  for (const name of ["errorfile", "errorfiles", "default-errorfiles", "lf-file"]) {
    if (words.includes(name))
      return { lost: `${name} is not read: write respond with body and type` };
  }
  const headers: Record<string, string> = {};
  for (const [index, word] of words.entries()) {
    if (word !== "hdr") continue;
    const value = templateOf(words[index + 2] ?? "");
    if (value === undefined) return { lost: UNKNOWN_VALUE };
    headers[words[index + 1] ?? ""] = value;
  }
  const status = Number(after("status") ?? 200);
  const body = text ?? (file === undefined ? undefined : { file });
  const respond = body === undefined ? status : { status, body, type: after("content-type") };
  const change = Object.keys(headers).length === 0 ? {} : { change: { answer: { set: headers } } };
  return { target: { respond }, ...change, rest: conditionIn(args) };
}

/** `location L`, `prefix P` or `scheme S`, then `code N` and the like. */
export function redirection(args: readonly string[]): Action {
  const words = wordsBefore(args);
  const after = (name: string): string | undefined => {
    const index = words.indexOf(name);
    return index < 0 ? undefined : words[index + 1];
  };
  for (const name of ["set-cookie", "clear-cookie", "append-slash"]) {
    if (words.includes(name)) return { lost: `a redirect knows no ${name}` };
  }
  const kind = words.find((word) => ["location", "prefix", "scheme"].includes(word)) ?? "";
  const value = templateOf(after(kind) ?? "");
  if (value === undefined) return { lost: UNKNOWN_VALUE };
  const uri = words.includes("drop-query") ? "${path}" : "${uri}";
  const location = {
    location: value,
    prefix: `${value === "/" ? "" : value}${uri}`,
    scheme: `${value}://\${host}${uri}`,
  }[kind];
  if (location === undefined) return { lost: "this is no redirect" };
  const status = Number(after("code") ?? 302);
  return { target: { redirect: { location, status } }, rest: conditionIn(args) };
}

function rewriting(name: string, args: readonly string[]): Action {
  const words = wordsBefore(args);
  const rest = conditionIn(args);
  const [first = "", second = ""] = words;
  if (name === "set-path") {
    const change = replacement(first);
    if (change !== undefined) return { change, rest };
    const to = templateOf(first)?.replaceAll("${path}", () => "$&");
    if (to === undefined || to.includes("${")) return { lost: UNKNOWN_VALUE };
    return { change: { rewrite: { regex: "^[^]*$", to } }, rest };
  }
  const regex = ecmascript(first);
  if (regex === undefined) return { lost: "the expression is not one of ECMAScript" };
  if (name !== "replace-path" && /[?]/u.test(first.replace(/\\.|[?](?=[:=!<])|[*+)][?]/gu, ""))) {
    return { lost: "a rewrite changes the path only" };
  }
  const template = templateOf(second);
  if (template === undefined || template.includes("${")) return { lost: UNKNOWN_VALUE };
  const rewrite = wholeReplaced(regex, template);
  return rewrite === undefined ? { lost: UNKNOWN_VALUE } : { change: { rewrite }, rest };
}

/** Undefined: it asks for what was found, which is less than what is replaced. */
function wholeReplaced(
  regex: string,
  template: string,
): { readonly regex: string; readonly to: string } | undefined {
  const whole = wholeText(regex);
  if (template.includes("\\0") && whole !== regex) return undefined;
  return { regex: whole, to: replacementText(template) };
}

/** `\0`, all that was found, and `\1` as ECMAScript has them. */
function replacementText(template: string): string {
  return template
    .replaceAll("$", "$$$$")
    .replace(/\\(\d)/gu, (_, digit: string) => (digit === "0" ? "$&" : `$${digit}`));
}

/** `%[path,regsub(^/v1/,/)]`: the first place that is found is replaced. */
function replacement(text: string): Change | undefined {
  const found =
    /^%\[path,regsub\((["']?)([^,"']+)\1,(["']?)([^,()"']*)\3(?:,(i?g?|gi))?\)\]$/u.exec(text);
  if (found === null) return undefined;
  const [, , pattern = "", , to = "", flags = ""] = found;
  // Everywhere is more than once.
  if (flags.includes("g") && !pattern.startsWith("^")) return undefined;
  const regex = ecmascript(flags.includes("i") ? `(?i)${pattern}` : pattern);
  if (regex === undefined) return undefined;
  return { rewrite: { regex, to: replacementText(to) } };
}
