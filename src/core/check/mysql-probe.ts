/**
 * MySQL and MariaDB: greeting, login, and - where role or lag matter - whether it takes writes and
 * how far behind its primary it is. Without a user a stranger logs in: being refused in order is
 * good, and unlike hanging up after the greeting it does not count towards `max_connect_errors`,
 * after which the server blocks the host of the check.
 */

import { utf8Bytes } from "../../lib/text-bytes.ts";
import { ByteReader, textOf } from "./byte-reader.ts";
import type { DatabaseSettings } from "./check-settings.ts";
import { loginResponse, readGreeting, switchResponse } from "./mysql-login.ts";
import { bad, Gathered, good, type Probe, type ProbeStep, WAIT } from "./probe.ts";
import { judgeLag, judgeRole } from "./replication.ts";

const MAX_ANSWER = 64 * 1024;
const PACKET_HEAD = 4;
const OK = 0x00;
const MORE = 0x01;
const NULL = 0xfb;
const EOF = 0xfe;
const ERROR = 0xff;
/** Second byte of `MORE`: the server knows the password's digest, or wants the password itself. */
const FAST_OK = 3;
const FULL_LOGIN = 4;
const COM_QUIT = 1;
const COM_QUERY = 3;

/**
 * ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_NOT_SUPPORTED_AUTH_MODE,
 * ER_SECURE_TRANSPORT_REQUIRED.
 */
const REFUSALS: readonly number[] = [1045, 1698, 1251, 3159];
const SYNTAX_ERROR = 1064;

const READ_ONLY = "SELECT @@global.read_only";
const STATUS = "SHOW REPLICA STATUS";
/** Before MySQL 8.0.22 and MariaDB 10.0. */
const OLD_STATUS = "SHOW SLAVE STATUS";
/** MariaDB lists a primary that has a name nowhere else. Since 10.0. */
const ALL_STATUS = "SHOW ALL SLAVES STATUS";
const STRANGER = "nines-check";

type Query = typeof READ_ONLY | typeof STATUS | typeof OLD_STATUS | typeof ALL_STATUS;
type Phase = "greeting" | "login" | Query;

export class MysqlProbe implements Probe {
  readonly #settings: DatabaseSettings;
  readonly #heard = new Gathered(MAX_ANSWER);
  #phase: Phase = "greeting";
  #server = "";
  #role = "";
  #sequence = 0;
  /** Packets of the answer that is being received. */
  #packets: Uint8Array[] = [];

  constructor(settings: DatabaseSettings) {
    this.#settings = settings;
  }

  connected(): ProbeStep {
    return WAIT;
  }

  received(bytes: Uint8Array): ProbeStep {
    this.#heard.add(bytes);
    if (this.#heard.isFull) return bad("the answer does not end");
    for (;;) {
      const packet = this.#nextPacket();
      if (packet === undefined) return WAIT;
      const step = this.#take(packet);
      if (step !== WAIT) return step;
    }
  }

  ended(): ProbeStep {
    return bad("the server ended the connection in the middle");
  }

  #nextPacket(): Uint8Array | undefined {
    const heard = this.#heard;
    const reader = new ByteReader(heard.bytes.subarray(0, heard.length));
    const length = reader.u24le();
    this.#sequence = reader.u8();
    if (reader.at > heard.length || reader.left < length) return undefined;
    const packet = reader.take(length).slice();
    const rest = reader.rest().slice();
    heard.length = 0;
    heard.add(rest);
    return packet;
  }

  #take(packet: Uint8Array): ProbeStep {
    if (packet[0] === ERROR) return this.#refused(packet);
    if (this.#phase === "greeting") return this.#greeted(packet);
    if (this.#phase === "login") return this.#login(packet);
    return this.#answered(packet);
  }

  #refused(packet: Uint8Array): ProbeStep {
    const reader = new ByteReader(packet, 1);
    const code = reader.u16le();
    const text = textOf(reader.rest()).replace(/^#...../, "");
    const isNewWord = this.#phase === STATUS || this.#phase === ALL_STATUS;
    if (isNewWord && code === SYNTAX_ERROR) return this.#query(OLD_STATUS);
    const isStranger = this.#settings.user === undefined;
    if (this.#phase === "login" && isStranger && REFUSALS.includes(code)) {
      return good(`${this.#server}, refused a stranger`);
    }
    return bad(`error ${code}: ${text}`);
  }

  #greeted(packet: Uint8Array): ProbeStep {
    const greeting = readGreeting(packet);
    if (greeting === undefined) return bad("the greeting is not that of MySQL");
    this.#server = greeting.server;
    this.#phase = "login";
    const { user = STRANGER, password = "", database = "" } = this.#settings;
    return this.#send(loginResponse(greeting, { user, password, database }));
  }

  #login(packet: Uint8Array): ProbeStep {
    if (packet[0] === EOF) {
      const { user, password = "" } = this.#settings;
      const answer = switchResponse(packet, password);
      if (!("error" in answer)) return this.#send(answer.proof);
      // A user that MySQL does not know is asked for a proof of any kind, so as not to tell; then refused.
      return user === undefined ? this.#send(new Uint8Array(0)) : bad(answer.error);
    }
    if (packet[0] === MORE) {
      if (packet[1] === FAST_OK) return WAIT;
      const why = packet[1] === FULL_LOGIN ? "wants the password itself" : "says something unknown";
      return bad(`the server ${why}: log in once over TLS, it then remembers a digest`);
    }
    if (packet[0] !== OK) return bad("the answer to the login is not that of MySQL");
    const { role, maxLagMs, user } = this.#settings;
    if (user !== undefined && (role !== "any" || maxLagMs > 0)) return this.#query(READ_ONLY);
    return this.#finish(good(this.#server));
  }

  /** Columns, end, rows, end. */
  #answered(packet: Uint8Array): ProbeStep {
    const isEnd = packet[0] === EOF && packet.length < 9;
    this.#packets.push(packet);
    const ends = this.#packets.filter((one) => one[0] === EOF && one.length < 9).length;
    if (!isEnd || ends < 2) return WAIT;
    const columns = new ByteReader(this.#packets[0]!).u8();
    const names = this.#packets.slice(1, 1 + columns).map(columnName);
    const rows = this.#packets.slice(2 + columns, -1).map((row) => fieldsOf(row, names));
    this.#packets = [];
    return this.#phase === READ_ONLY ? this.#knowsRole(rows) : this.#knowsStatus(rows);
  }

  #knowsRole(rows: readonly Row[]): ProbeStep {
    // A word instead of a number since MariaDB 12.
    const isReadOnly = !["0", "OFF"].includes([...(rows[0]?.values() ?? [])][0] ?? "");
    this.#role = isReadOnly ? "is read-only" : "takes writes";
    const wrong = judgeRole(this.#settings.role, isReadOnly, this.#role);
    if (wrong !== undefined) return this.#finish(bad(wrong));
    if (this.#settings.role === "primary") return this.#finish(this.#good(""));
    return this.#query(this.#server.startsWith("MariaDB") ? ALL_STATUS : STATUS);
  }

  /** One row for each primary that it follows. */
  #knowsStatus(rows: readonly Row[]): ProbeStep {
    const { role, maxLagMs } = this.#settings;
    if (rows.length === 0) {
      if (role === "replica") return this.#finish(bad("it follows no primary"));
      return this.#finish(this.#good(", follows no primary"));
    }
    let lagMs = 0;
    for (const row of rows) {
      const behind = row.get("Seconds_Behind_Source") ?? row.get("Seconds_Behind_Master");
      if (behind === undefined) return this.#finish(bad(brokenText(row)));
      lagMs = Math.max(lagMs, Number(behind) * 1000);
    }
    const wrong = judgeLag(lagMs, maxLagMs);
    if (wrong !== undefined) return this.#finish(bad(wrong));
    return this.#finish(this.#good(`, ${lagMs / 1000} s behind`));
  }

  #good(more: string): ProbeStep {
    return good(`${this.#server} ${this.#role}${more}`);
  }

  #query(query: Query): ProbeStep {
    this.#phase = query;
    this.#sequence = -1;
    return this.#send(Uint8Array.from([COM_QUERY, ...utf8Bytes(query)]));
  }

  #finish(step: ProbeStep): ProbeStep {
    this.#sequence = -1;
    return { ...step, ...this.#send(Uint8Array.of(COM_QUIT)) };
  }

  #send(payload: Uint8Array): ProbeStep {
    const { length } = payload;
    const head = [length & 255, (length >> 8) & 255, length >> 16, (this.#sequence + 1) & 255];
    const send = new Uint8Array(PACKET_HEAD + length);
    send.set(head);
    send.set(payload, PACKET_HEAD);
    return { send };
  }
}

type Row = ReadonlyMap<string, string>;

/** Catalog, schema, table, original table, name. */
function columnName(packet: Uint8Array): string {
  const reader = new ByteReader(packet);
  for (let i = 0; i < 4; i++) lengthEncoded(reader);
  return textOf(lengthEncoded(reader) ?? new Uint8Array(0));
}

/** Without the fields that are NULL. */
function fieldsOf(packet: Uint8Array, names: readonly string[]): Row {
  const reader = new ByteReader(packet);
  const row = new Map<string, string>();
  for (const name of names) {
    const value = lengthEncoded(reader);
    if (value !== undefined) row.set(name, textOf(value));
  }
  return row;
}

function lengthEncoded(reader: ByteReader): Uint8Array | undefined {
  const first = reader.u8();
  if (first === NULL) return undefined;
  if (first === 0xfc) return reader.take(reader.u16le());
  if (first === 0xfd) return reader.take(reader.u24le());
  return reader.take(first);
}

function brokenText(row: Row): string {
  const get = (name: string): string =>
    row.get(`Replica_${name}`) ?? row.get(`Slave_${name}`) ?? "unknown";
  const error = row.get("Last_IO_Error") || row.get("Last_SQL_Error") || row.get("Last_Error");
  const why = error === undefined || error === "" ? "" : `: ${error}`;
  return `replication stands still (IO ${get("IO_Running")}, SQL ${get("SQL_Running")})${why}`;
}
