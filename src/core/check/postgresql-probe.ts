/**
 * PostgreSQL: start of a session, login, and - where role or lag matter - whether it is in recovery
 * and how far behind. Without a user a stranger begins a session: to be asked for a password or
 * refused in order is good, and for a user without a password the former. Source: PostgreSQL's documentation, "Frontend/Backend Protocol".
 */

import { md5 } from "@noble/hashes/legacy.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import { ByteReader, textOf } from "./byte-reader.ts";
import type { DatabaseSettings } from "./check-settings.ts";
import { bad, Gathered, good, type Probe, type ProbeStep, WAIT } from "./probe.ts";
import { judgeLag, judgeRole } from "./replication.ts";
import { type DerivedKeys, ScramClient } from "./scram.ts";

const MAX_ANSWER = 64 * 1024;
const PROTOCOL = 3 * 0x10000;
const SCRAM_NONCE = 18;
const SCRAM = "SCRAM-SHA-256";
const STRANGER = "nines-check";

const AUTHENTICATED = 0;
const CLEAR_TEXT = 3;
const MD5 = 5;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

/**
 * Everything received and replayed, with the stream alive: 0, however quiet the primary is.
 * Otherwise the age of the last transaction that was replayed; null = not known.
 * Hosts of databases make a primary read-only when its disk is full. Where only the user of the
 * check is, as users that watch should be, that says nothing of the others.
 */
const QUERY = `select pg_is_in_recovery(), case when not pg_is_in_recovery() then null
 when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
  and exists (select from pg_stat_wal_receiver) then 0
 else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end,
 exists (select from pg_settings where name = 'default_transaction_read_only' and setting = 'on'
  and source not in ('user', 'database user'))`;

export class PostgresqlProbe implements Probe {
  readonly #settings: DatabaseSettings;
  readonly #scram: ScramClient;
  readonly #heard = new Gathered(MAX_ANSWER);
  #isVerified = true;
  #row: readonly (string | undefined)[] | undefined;
  #isAsked = false;

  constructor(
    settings: DatabaseSettings,
    { random, keys }: { random: (count: number) => Uint8Array; keys: DerivedKeys },
  ) {
    this.#settings = settings;
    this.#scram = new ScramClient(settings.password ?? "", random(SCRAM_NONCE), keys);
  }

  connected(): ProbeStep {
    const { user = STRANGER, database = user } = this.#settings;
    const words = ["user", user, "database", database, "application_name", "nines-check"];
    const text = utf8Bytes(`${words.join("\0")}\0\0`);
    return { send: packet("", [...bigEndian(PROTOCOL), ...text]) };
  }

  received(bytes: Uint8Array): ProbeStep {
    this.#heard.add(bytes);
    if (this.#heard.isFull) return bad("the answer does not end");
    for (;;) {
      const step = this.#next();
      if (step === undefined) return WAIT;
      if (step !== WAIT) return step;
    }
  }

  ended(): ProbeStep {
    return bad("the server ended the connection in the middle");
  }

  /** Undefined: the next message is not whole yet. */
  #next(): ProbeStep | undefined {
    const heard = this.#heard;
    const reader = new ByteReader(heard.bytes.subarray(0, heard.length));
    const type = String.fromCharCode(reader.u8());
    const length = reader.u32be() - 4;
    if (reader.at > heard.length) return undefined;
    if (length < 0) return bad("the answer is not that of PostgreSQL");
    if (length > MAX_ANSWER) return bad("the answer is not that of PostgreSQL");
    if (reader.left < length) return undefined;
    const body = new ByteReader(reader.take(length).slice());
    const rest = reader.rest().slice();
    heard.length = 0;
    heard.add(rest);
    return this.#take(type, body);
  }

  #take(type: string, body: ByteReader): ProbeStep {
    switch (type) {
      case "R":
        return this.#authenticate(body);
      case "E":
        return this.#refused(body);
      case "D":
        this.#row = fieldsOf(body);
        return WAIT;
      case "Z":
        return this.#ready();
      // Parameters, the key for cancelling, notices, descriptions of columns, "complete".
      case "S":
      case "K":
      case "N":
      case "T":
      case "C":
        return WAIT;
      default:
        return bad("the answer is not that of PostgreSQL");
    }
  }

  #authenticate(body: ByteReader): ProbeStep {
    const { user, password = "" } = this.#settings;
    const way = body.u32be();
    // The database, which nobody named, may not be there.
    if (way === AUTHENTICATED && !this.#hasToLogIn) return finish(good("it lets us in"));
    if (way === AUTHENTICATED) {
      return this.#isVerified ? WAIT : bad("the server does not know the password itself");
    }
    // Who hangs up in order when asked for a password, as psql does, is not logged: no other last word is.
    if (!this.#hasToLogIn) return { ...good("it asks who we are"), send: new Uint8Array(0) };
    switch (way) {
      case MD5: {
        const inner = bytesToHex(md5(utf8Bytes(`${password}${user}`)));
        const outer = md5(Uint8Array.from([...utf8Bytes(inner), ...body.rest()]));
        return answer([...utf8Bytes(`md5${bytesToHex(outer)}`), 0]);
      }
      case SASL: {
        const ways = textOf(body.rest()).split("\0");
        if (!ways.includes(SCRAM)) return bad(`the server wants ${ways.join(" or ")}`);
        this.#isVerified = false;
        const first = utf8Bytes(this.#scram.firstMessage);
        return answer([...utf8Bytes(SCRAM), 0, ...bigEndian(first.length), ...first]);
      }
      case SASL_CONTINUE: {
        const final = this.#scram.finalMessage(textOf(body.rest()));
        return "error" in final ? bad(final.error) : answer([...utf8Bytes(final.message)]);
      }
      case SASL_FINAL:
        this.#isVerified = this.#scram.verifies(body.rest());
        return WAIT;
      case CLEAR_TEXT:
        return bad("the server wants the password in clear text; use scram-sha-256");
      default:
        return bad(`the server wants a way to log in that is not known here (${way})`);
    }
  }

  /** HAProxy's users name one without a password and without a database of that name. */
  get #hasToLogIn(): boolean {
    const { user, password, database, role, maxLagMs } = this.#settings;
    if (user === undefined) return false;
    return (password ?? database) !== undefined || role !== "any" || maxLagMs > 0;
  }

  #refused(body: ByteReader): ProbeStep {
    const fields = new Map<string, string>();
    while (body.left > 1) {
      const key = String.fromCharCode(body.u8());
      fields.set(key, textOf(body.zeroEnded()));
    }
    const code = fields.get("C") ?? "";
    // Class 28: who are you; 3D: which database. Both are said by a server that is well.
    const isRefusal = code.startsWith("28") || code.startsWith("3D");
    if (this.#settings.user === undefined && isRefusal) return good("refused a stranger");
    return bad(`${fields.get("S") ?? "error"} ${code}: ${fields.get("M") ?? ""}`);
  }

  #ready(): ProbeStep {
    const { role, maxLagMs, user } = this.#settings;
    if (user === undefined || (role === "any" && maxLagMs === 0)) return finish(good("logged in"));
    if (this.#isAsked) return finish(this.#judge());
    this.#isAsked = true;
    return { send: packet("Q", [...utf8Bytes(QUERY), 0]) };
  }

  #judge(): ProbeStep {
    const { role, maxLagMs } = this.#settings;
    const [recovery, lag, readOnly] = this.#row ?? [];
    const isReplica = recovery === "t";
    const wrong = judgeRole(role, isReplica, isReplica ? "is in recovery" : "is a primary");
    if (wrong !== undefined) return bad(wrong);
    if (!isReplica && role === "primary" && readOnly === "t") {
      return bad("it is read-only by default_transaction_read_only, wanted a primary");
    }
    if (!isReplica) return good("a primary");
    if (lag === undefined) return bad("its lag is not known: nothing was replayed yet");
    const lagMs = Math.round(Number(lag) * 1000);
    const late = judgeLag(lagMs, maxLagMs);
    return late === undefined ? good(`a replica, ${lagMs / 1000} s behind`) : bad(late);
  }
}

/** Undefined = NULL. */
function fieldsOf(body: ByteReader): (string | undefined)[] {
  const count = Math.min(body.u16be(), 16);
  return Array.from({ length: count }, () => {
    const length = body.u32be();
    return length === 0xffffffff ? undefined : textOf(body.take(length));
  });
}

function packet(type: string, body: readonly number[]): Uint8Array {
  return Uint8Array.from([...utf8Bytes(type), ...bigEndian(body.length + 4), ...body]);
}

function answer(body: readonly number[]): ProbeStep {
  return { send: packet("p", body) };
}

/** "Terminate": so that the server does not log a connection that broke. */
function finish(step: ProbeStep): ProbeStep {
  return { ...step, send: packet("X", []) };
}

function bigEndian(value: number): number[] {
  return [(value >>> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}
