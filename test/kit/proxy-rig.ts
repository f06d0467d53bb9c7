/**
 * The proxy engine between wires of a test: what is sent is read as text, byte for byte, and time
 * goes by when the test says so.
 */

import assert from "node:assert/strict";
import type { AccessRecord } from "../../src/core/proxy/access-record.ts";
import { ACCESS_TEXTS } from "../../src/core/proxy/access-record.ts";
import { accessText } from "../../src/core/proxy/access-line.ts";
import { Engine } from "../../src/core/proxy/engine.ts";
import type { BalanceSettings } from "../../src/core/proxy/frontend-settings.ts";
import type {
  ClientOrigin,
  ConnectTarget,
  Peer,
  ServerPeer,
  Wire,
} from "../../src/core/proxy/wire.ts";
import { Prng } from "../../src/lib/prng.ts";
import { type BalanceDraft, balanceSettings } from "./proxy-settings.ts";

/** A head: these lines, each with its end, and the empty one. */
export function head(...lines: readonly string[]): string {
  return [...lines, "", ""].join("\r\n");
}

/** A good answer of a server. */
export function ok(body: string, ...fields: readonly string[]): string {
  return head("HTTP/1.1 200 OK", ...fields, `content-length: ${body.length}`) + body;
}

export function get(path = "/", ...fields: readonly string[]): string {
  return head(`GET ${path} HTTP/1.1`, "host: a.example", ...fields);
}

export function post(body: string, ...fields: readonly string[]): string {
  const own = ["host: a.example", ...fields, `content-length: ${body.length}`];
  return head("POST / HTTP/1.1", ...own) + body;
}

/** One end of a connection in the hands of the test. */
export class RigWire implements Wire {
  readonly #rig: ProxyRig;
  #peer: Peer | undefined;
  #sent = "";
  #isStuck = false;
  queued = 0;
  /** In the kernel besides: what the other side has not taken. */
  inKernel = 0;
  isPaused = false;
  /** The engine has ended its half. */
  hasFin = false;
  /** The engine has closed it: `reset` the hard way. */
  gone: "" | "closed" | "reset" = "";

  constructor(rig: ProxyRig) {
    this.#rig = rig;
  }

  get untaken(): number {
    return this.queued === 0 ? 0 : this.queued + this.inKernel;
  }

  set peer(peer: Peer) {
    this.#peer = peer;
  }

  // ---- the engine's side ----

  send(bytes: Uint8Array, from: number, to: number): boolean {
    assert.ok(this.gone === "" && !this.hasFin, "sent after the end");
    this.#sent += Buffer.from(bytes.subarray(from, to)).toString("latin1");
    if (this.#isStuck) this.queued += to - from;
    return this.queued === 0;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.hasFin = true;
  }

  destroy(reset: boolean): void {
    assert.equal(this.gone, "", "closed twice");
    this.gone = reset ? "reset" : "closed";
  }

  // ---- the test's side ----

  /** Everything since the last look. */
  took(): string {
    const sent = this.#sent;
    this.#sent = "";
    return sent;
  }

  write(text: string): void {
    assert.ok(!this.isPaused, "nobody reads");
    const bytes = Buffer.from(text, "latin1");
    this.#tell().received(this.#rig.now, bytes, 0, bytes.length);
  }

  /** The test ends its half. */
  fin(): void {
    this.#tell().ended(this.#rig.now);
  }

  /** The connection breaks. */
  breakOff(reason = "ECONNRESET"): void {
    this.#tell().closed(this.#rig.now, reason);
    this.gone = "closed";
  }

  /** Nothing that is sent from now on is read. */
  stick(): void {
    this.#isStuck = true;
  }

  unstick(): void {
    this.#isStuck = false;
    this.queued = 0;
    this.#tell().drained(this.#rig.now);
  }

  /** What is on its way to the engine shall not wait for anybody. */
  get isAwaited(): boolean {
    return this.#tell().awaitsMore === true;
  }

  #tell(): Peer {
    assert.equal(this.gone, "", "it is gone");
    assert.ok(this.#peer !== undefined);
    return this.#peer;
  }
}

/** A connection that the engine asked for. */
export class RigServer extends RigWire {
  readonly target: ConnectTarget;
  readonly #own: ServerPeer;
  readonly #now: () => number;

  constructor(rig: ProxyRig, target: ConnectTarget, peer: ServerPeer) {
    super(rig);
    this.target = target;
    this.#own = peer;
    this.#now = () => rig.now;
    this.peer = peer;
  }

  accept(): this {
    this.#own.connected(this.#now());
    return this;
  }
}

/** One line of the access log, as far as tests look at it. */
export interface Told {
  readonly status: number;
  /** HAProxy's two letters. */
  readonly ended: string;
  readonly reason: string;
  readonly route: string;
  readonly pool: string;
  readonly server: string;
  readonly retries: number;
  readonly isReused: boolean;
  readonly connectMs: number;
  readonly requestId: string;
  /** `GET /path`. */
  readonly line: string;
}

export class ProxyRig {
  now = 1000;
  readonly engine: Engine;
  readonly #log: Told[] = [];
  readonly #events: string[] = [];
  readonly #opened: RigServer[] = [];

  constructor(draft: BalanceDraft = {}) {
    this.engine = new Engine(this.now, {
      connector: { connect: (target, peer) => this.#connect(target, peer) },
      sinks: {
        access: (record) => this.#log.push(toldOf(record)),
        event: (pool, { kind, server }) =>
          this.#events.push(`${pool}/${server?.name ?? ""} ${kind}`),
      },
      prng: new Prng(1),
    });
    this.engine.setWallClock(this.now, 1_700_000_000_000);
    this.configure(draft);
  }

  configure(draft: BalanceDraft | BalanceSettings): void {
    this.engine.configure(this.now, "workers" in draft ? draft : balanceSettings(draft));
  }

  /** A client connects. */
  client(origin: Partial<ClientOrigin> = {}): RigWire {
    const wire = new RigWire(this);
    wire.peer = this.engine.accept(this.now, wire, {
      frontend: "www",
      source: "192.0.2.1",
      sourcePort: 40_000,
      localAddress: "10.0.0.100",
      localPort: 80,
      http2: false,
      ...origin,
    });
    return wire;
  }

  /** The oldest connection asked for that no test has taken yet; it stands. */
  server(name?: string): RigServer {
    return this.asked(name).accept();
  }

  /** The same, and it does not stand yet. */
  asked(name?: string): RigServer {
    const wire = this.#opened.shift();
    assert.ok(wire !== undefined, "the engine has connected to nobody");
    if (name !== undefined) assert.equal(wire.target.server, name);
    return wire;
  }

  /** Connections asked for that no test has taken. */
  get unanswered(): number {
    return this.#opened.length;
  }

  /** Time goes by, and the engine is woken when it wants to be. */
  wait(ms: number): void {
    const end = this.now + ms;
    for (let i = 0; this.engine.deadline <= end; i++) {
      assert.ok(i < 100_000, "the engine wakes for ever");
      this.now = Math.max(this.now, this.engine.deadline);
      this.engine.wake(this.now);
    }
    this.now = end;
  }

  /** Of all exchanges that ended since the last look. */
  told(): Told[] {
    return this.#log.splice(0);
  }

  /** Status, the two letters and the reason of the only exchange that ended. */
  ending(): string {
    const lines = this.told();
    assert.equal(lines.length, 1, "not one exchange ended");
    const { status, ended, reason } = lines[0]!;
    return `${status} ${ended} ${reason}`.trim();
  }

  /** `web/web1 down`, since the last look. */
  events(): string[] {
    return this.#events.splice(0);
  }

  /** Asserts that nothing is left of all that was done. */
  isClean(): void {
    const { connections, inFlight, lentBytes } = this.engine;
    const dispatchers = [...this.engine.dispatchers];
    const active = dispatchers.flatMap(({ pool }) => pool.servers.map((server) => server.active));
    assert.deepEqual(
      { connections, inFlight, lentBytes, active: active.filter((count) => count !== 0) },
      { connections: 0, inFlight: 0, lentBytes: 0, active: [] },
    );
  }

  #connect(target: ConnectTarget, peer: ServerPeer): Wire {
    const wire = new RigServer(this, target, peer);
    this.#opened.push(wire);
    return wire;
  }
}

function toldOf(record: AccessRecord): Told {
  const { status, cause, phase, reason, route, pool, server, retries, isReused, connectMs } =
    record;
  const requestId = accessText(record, ACCESS_TEXTS.requestId);
  const line = [ACCESS_TEXTS.method, ACCESS_TEXTS.target].map((text) => accessText(record, text));
  const known = { status, reason, route, pool, server, retries, isReused, connectMs, requestId };
  return { ended: `${cause}${phase}`, line: line.join(" "), ...known };
}
