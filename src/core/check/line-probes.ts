/** Checks that talk in lines: SMTP, Redis, memcached, HAProxy's agent. And a bare connection. */

import { latin1Text, utf8Bytes, utf8Text } from "../../lib/text-bytes.ts";
import type { CheckProtocol } from "./check-settings.ts";
import {
  bad,
  Gathered,
  good,
  type Probe,
  type ProbeResult,
  type ProbeStep,
  WAIT,
} from "./probe.ts";

/** An answer longer than that is not looked at. */
const MAX_ANSWER = 64 * 1024;

export class ConnectProbe implements Probe {
  connected(): ProbeStep {
    return good("connected");
  }

  received(): ProbeStep {
    return WAIT;
  }

  ended(): ProbeStep {
    return bad("the server ended the connection");
  }
}

/** Judges what was said so far; undefined = not enough of it; without a result: this is said, and judged anew. */
type Judge = (text: string) => ProbeStep | undefined;

/** Sends each text once what the one before it asked for has come. */
class Conversation implements Probe {
  readonly #steps: { readonly send: string; readonly judge: Judge }[];
  readonly #heard = new Gathered(MAX_ANSWER);

  constructor(steps: readonly { readonly send: string; readonly judge: Judge }[]) {
    this.#steps = [...steps];
  }

  connected(): ProbeStep {
    return this.#say();
  }

  received(bytes: Uint8Array): ProbeStep {
    this.#heard.add(bytes);
    const step = this.#steps[0]?.judge(latin1Text(this.#heard.bytes, 0, this.#heard.length));
    if (step === undefined) return this.#heard.isFull ? bad("the answer does not end") : WAIT;
    this.#heard.length = 0;
    if (step.result === undefined) return step;
    if (!step.result.ok || this.#steps.length === 1) return step;
    this.#steps.shift();
    return this.#say();
  }

  ended(): ProbeStep {
    return bad("the server ended the connection in the middle");
  }

  #say(): ProbeStep {
    const text = this.#steps[0]!.send;
    return text === "" ? WAIT : { send: utf8Bytes(text) };
  }
}

/** RFC 5321 4.2: `250-more`, `250 last`. */
function smtpReply(wanted: string): Judge {
  return (text) => {
    const last = /^(\d{3})(?: [^\n]*)?\r?\n/m.exec(text);
    if (last === null) return undefined;
    const [line = "", code = ""] = last;
    return code === wanted ? good(line.trim()) : bad(`${line.trim()}, wanted ${wanted}`);
  };
}

/** RFC 5321 4.1.4: who does not know EHLO is greeted by HELO. */
function smtpHello(name: string): Judge {
  const judge = smtpReply("250");
  let isOld = false;
  return (text) => {
    const step = judge(text);
    if (isOld || step?.result?.ok !== false || !/^5\d\d /m.test(text)) return step;
    isOld = true;
    return { send: utf8Bytes(`HELO ${name}\r\n`) };
  };
}

export function smtpProbe(helloName: string): Probe {
  return new Conversation([
    { send: "", judge: smtpReply("220") },
    { send: `EHLO ${helloName}\r\n`, judge: smtpHello(helloName) },
    { send: "QUIT\r\n", judge: smtpReply("221") },
  ]);
}

export function memcachedProbe(): Probe {
  const judge: Judge = (text) => {
    if (!text.includes("\n")) return undefined;
    const line = text.split(/\r?\n/, 1)[0]!;
    return line.startsWith("VERSION ") ? good(line) : bad(`said "${line}", wanted VERSION`);
  };
  return new Conversation([{ send: "version\r\n", judge }]);
}

type RedisSettings = Extract<CheckProtocol, { kind: "redis" }>;

/** RESP: AUTH where a password is set, PING, and INFO replication where the role matters. */
export function redisProbe(settings: RedisSettings): Probe {
  const { user, password, role } = settings;
  const steps: { send: string; judge: Judge }[] = [];
  if (password !== undefined) {
    const words = user === undefined ? ["AUTH", password] : ["AUTH", user, password];
    steps.push({ send: resp(words), judge: redisLine("+OK") });
  }
  steps.push({ send: resp(["PING"]), judge: redisLine("+PONG") });
  if (role !== "any" || settings.maxLagMs > 0) {
    const judge: Judge = (text) => judgeReplication(text, settings);
    steps.push({ send: resp(["INFO", "replication"]), judge });
  }
  return new Conversation(steps);
}

function resp(words: readonly string[]): string {
  const parts = words.map((word) => `$${utf8Bytes(word).length}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join("")}`;
}

function redisLine(wanted: string): Judge {
  return (text) => {
    if (!text.includes("\r\n")) return undefined;
    const line = text.split("\r\n", 1)[0]!;
    return line === wanted ? good(line.slice(1)) : bad(`said "${line}", wanted ${wanted}`);
  };
}

function judgeReplication(text: string, settings: RedisSettings): ProbeStep | undefined {
  const length = /^\$(\d+)\r\n/.exec(text);
  if (length === null) return text.startsWith("-") ? redisLine("INFO")(text) : undefined;
  if (text.length < length[0].length + Number(length[1])) return undefined;
  const isReplica = /^role:slave/m.test(text);
  const role = isReplica ? "replica" : "primary";
  if (settings.role !== "any" && settings.role !== role) {
    return bad(`it is a ${role}, wanted a ${settings.role}`);
  }
  if (!isReplica) return good(`a ${role}`);
  if (!/^master_link_status:up/m.test(text)) return bad("its link to the primary is down");
  const seconds = Number(/^master_last_io_seconds_ago:(-?\d+)/m.exec(text)?.[1] ?? -1);
  const { maxLagMs } = settings;
  if (maxLagMs > 0 && (seconds < 0 || seconds * 1000 > maxLagMs)) {
    return bad(`heard its primary ${seconds} s ago, at most ${maxLagMs / 1000} s are allowed`);
  }
  return good(`a replica, heard its primary ${seconds} s ago`);
}

/** The agent sends one line and closes; the line may also stand alone. */
export class AgentProbe implements Probe {
  readonly #send: string;
  readonly #heard = new Gathered(1024);

  constructor(send: string) {
    this.#send = send;
  }

  connected(): ProbeStep {
    return this.#send === "" ? WAIT : { send: utf8Bytes(this.#send) };
  }

  received(bytes: Uint8Array): ProbeStep {
    this.#heard.add(bytes);
    const text = utf8Text(this.#heard.bytes.subarray(0, this.#heard.length));
    return text.includes("\n") || this.#heard.isFull ? { result: readAgentLine(text) } : WAIT;
  }

  ended(): ProbeStep {
    const text = utf8Text(this.#heard.bytes.subarray(0, this.#heard.length));
    return text.trim() === "" ? bad("the agent said nothing") : { result: readAgentLine(text) };
  }
}

/** HAProxy's bound: a server of weight 1 gets the highest weight there is. */
const MAX_PERCENT = 25_600;

const DOWN: readonly string[] = ["down", "fail", "failed", "stopped"];

/**
 * Words separated by spaces, tabs or commas: `up`, `down`, `failed`, `stopped`, `ready`, `drain`, `maint`, `75%`;
 * `maxconn:N`; text after `#` is the reason. Beside a word that is known others are as good as a comment. Source: HAProxy's documentation, `agent-check`, and what it does.
 */
export function readAgentLine(text: string): ProbeResult {
  const [line = ""] = text.split(/[\r\n]/, 1);
  const [words = "", ...comment] = line.split("#");
  const why = comment.join("#").trim();
  let ok: boolean | undefined;
  let admin: ProbeResult["admin"];
  let weightPercent: number | undefined;
  let maxConnections: number | undefined;
  let isKnown = false;
  for (const word of words.toLowerCase().split(/[\s,]+/)) {
    const percent = /^(\d{1,9})%$/.exec(word)?.[1];
    const most = /^maxconn:(\d{1,9})$/.exec(word)?.[1];
    if (percent !== undefined) weightPercent = Math.min(MAX_PERCENT, Number(percent));
    else if (word === "up") ok = true;
    else if (DOWN.includes(word)) ok = false;
    else if (word === "ready" || word === "drain" || word === "maint") admin = word;
    else if (most !== undefined) maxConnections = Number(most);
    else continue;
    isKnown = true;
  }
  if (!isKnown) return { ok: false, reason: `the agent said "${line}"` };
  return {
    ok: ok ?? true,
    isWord: true,
    reason: `the agent said "${words.trim()}"${why === "" ? "" : ` (${why})`}`,
    ...(ok === undefined ? { isSilentOnState: true } : {}),
    ...(weightPercent === undefined ? {} : { weightPercent }),
    ...(admin === undefined ? {} : { admin }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}
