/** `authentication { }` and `auth_hmac { }` of an instance. */

import type { Authentication, HmacKey } from "../../../core/vrrp/settings.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";
import { readInteger } from "../value.ts";
import type { Context } from "./context.ts";

const PASSWORD_BYTES = 8;
const NONE: Authentication = { kind: "none" };

export interface AuthenticationFacts {
  readonly version: 2 | 3;
  readonly alsoVersion2?: boolean;
  readonly strict: boolean;
  readonly advertIntervalMs: number;
}

export function readAuthentication(
  instance: Block,
  facts: AuthenticationFacts,
  context: Context,
): Authentication {
  const hmac = instance.blocks("auth_hmac").at(-1);
  const legacy = instance.blocks("authentication").at(-1);
  if (hmac !== undefined) {
    if (legacy !== undefined) {
      const at = instance.at("authentication");
      context.findings.warn(at, "authentication is ignored beside auth_hmac", "remove it");
    }
    return readHmac(hmac, facts, context);
  }
  return legacy === undefined ? NONE : readPassword(legacy, facts, context);
}

function readPassword(block: Block, facts: AuthenticationFacts, context: Context): Authentication {
  const { findings } = context;
  const at = block.statement.keyword;
  const type = block.text("auth_type");
  const word = block.word("auth_pass");
  if (word === undefined) {
    findings.error(at, "authentication without auth_pass", "add: auth_pass PASSWORD");
    return NONE;
  }
  if (type === undefined && !block.has("auth_type")) {
    const next = "add: auth_type PASS, on all nodes";
    findings.warn(at, "authentication without auth_type: none is used", next);
    return NONE;
  }
  const password = truncated(word, context);
  if (facts.version === 3 && facts.alsoVersion2 === true && type !== "AH") {
    return { kind: "pass", password };
  }
  if (facts.version === 3) {
    const next = "remove it, or use auth_hmac { key 1 … } on all nodes";
    findings.warn(at, "VRRP version 3 has no passwords: authentication is ignored", next);
    return NONE;
  }
  if (facts.strict) {
    findings.warn(at, "strict mode has no authentication: it is ignored", "remove one of them");
    return NONE;
  }
  return { kind: type === "AH" ? "ah" : "pass", password };
}

function truncated(at: Word, context: Context): string {
  const password = at.text;
  const bytes = Buffer.from(password, "utf8");
  if (bytes.length <= PASSWORD_BYTES) return password;
  const reason = `auth_pass is cut to its first ${PASSWORD_BYTES} bytes`;
  context.findings.warn(at, reason, "as keepalived does; write a password of 8 characters");
  return bytes.subarray(0, PASSWORD_BYTES).toString("utf8");
}

function readHmac(block: Block, facts: AuthenticationFacts, context: Context): Authentication {
  const { findings } = context;
  const keys = block.allWords("key").flatMap((words) => readKey(words, context) ?? []);
  const activeKeyId = block.number("active_key") ?? keys[0]?.id;
  if (activeKeyId === undefined) {
    if (!block.has("key")) {
      findings.error(block.statement.keyword, "auth_hmac has no key", "add: key 1 hex:…");
    }
    return NONE;
  }
  if (!keys.some((key) => key.id === activeKeyId)) {
    const next = `add: key ${activeKeyId} …, or choose one of: ${keys.map((k) => k.id).join(" ")}`;
    findings.error(block.valueAt("active_key"), `active_key ${activeKeyId} is not defined`, next);
  }
  const mode = (block.text("mode") ?? "enforce") as "enforce" | "permissive" | "receive-only";
  if (facts.strict && mode !== "enforce") {
    findings.error(block.valueAt("mode"), "strict mode needs mode enforce", "write: mode enforce");
  }
  return {
    kind: "hmac",
    keys,
    activeKeyId,
    mode,
    antiReplay: block.text("anti_replay") !== "monotonic",
    timeWindowMs: block.number("time_window") ?? Math.max(3 * facts.advertIntervalMs, 5000),
  };
}

/** `key ID VALUE`; VALUE is hex:…, file:PATH or text of 32 to 64 bytes. */
function readKey(words: readonly Word[], context: Context): HmacKey | undefined {
  const { findings } = context;
  const [idWord, valueWord] = words;
  const id = readInteger(idWord!, { min: 1, max: 255 }, "the id of a key", findings);
  const secret = readSecret(valueWord!, context);
  if (id === undefined || secret === undefined) return undefined;
  if (secret.length >= 32 && secret.length <= 64) return { id, secret };
  const reason = `key ${id} has ${secret.length} bytes; it must have 32 to 64`;
  findings.error(hidden(valueWord!), reason, "make one: echo hex:$(openssl rand -hex 32)");
  return undefined;
}

function readSecret(word: Word, context: Context): Uint8Array | undefined {
  const path = /^file:(.+)$/u.exec(word.text)?.[1];
  const text = path === undefined ? word.text : context.readFile(path)?.trim();
  if (text === undefined) {
    context.findings.error(
      word,
      `the key file ${path} cannot be read`,
      "it must hold hex:… or text",
    );
    return undefined;
  }
  const hex = /^(?:hex:|0x)(.*)$/iu.exec(text)?.[1];
  if (hex === undefined) return new TextEncoder().encode(text);
  if (/^([\da-fA-F]{2})+$/u.test(hex)) return new Uint8Array(Buffer.from(hex, "hex"));
  context.findings.error(hidden(word), "the key is not hexadecimal", "two digits 0-9a-f a byte");
  return undefined;
}

/** Secrets never get into messages. */
function hidden(word: Word): Word {
  return { ...word, text: word.text.startsWith("file:") ? word.text : "" };
}
