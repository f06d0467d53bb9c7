/** The node's own probes: asked from this process, and taken in like those of external probers. */

import type { NodeProbe } from "../config/service/service-model.ts";
import { parseProbeUrl, type ProbedTarget } from "../config/probe/probe-url.ts";
import { Prober } from "../daemon/prober.ts";
import { WriteWatch } from "../daemon/write-watch.ts";
import { wallMs } from "../drivers/clock.ts";
import { httpDoor } from "../drivers/write-door.ts";
import { formatDuration } from "../lib/duration.ts";
import type { ProbeReport } from "../core/probe/report.ts";
import type { WatchNews } from "../core/probe/watch.ts";

/** Own trouble of one kind is told at most so often, ms. */
const TOLD_EVERY_MS = 60_000;
/** Rows of a write probe that are read again. */
const KEPT_WRITES = 600;

export interface NodeProbesOptions {
  /** Name of this one: nodes with the same configuration must not write the same rows. */
  readonly node: () => string;
  readonly take: (report: ProbeReport) => void;
  /** What this process itself did wrong: it stood still, its clock was set. */
  readonly trouble: (text: string) => void;
}

export class NodeProbes {
  readonly #options: NodeProbesOptions;
  #prober: Prober | undefined;
  #writes: readonly WriteWatch[] = [];
  #identity = "[]";
  #toldMs = -Infinity;

  constructor(options: NodeProbesOptions) {
    this.#options = options;
  }

  /** The same again changes nothing. */
  configure(probes: readonly NodeProbe[]): void {
    const identity = JSON.stringify(probes);
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.close();
    if (probes.length === 0) return;
    const run = `${wallMs()}-${process.pid}`;
    this.#prober = this.#start(probes, run);
    this.#writes = probes.flatMap((probe) => this.#startWrites(probe, run) ?? []);
  }

  close(): void {
    this.#prober?.close();
    this.#prober = undefined;
    for (const watch of this.#writes) watch.abandon();
    this.#writes = [];
  }

  #start(probes: readonly NodeProbe[], run: string): Prober {
    const byTarget = new Map<ProbedTarget, NodeProbe>();
    for (const probe of probes) {
      const target = parseProbeUrl(probe.ask, probe.options);
      // A configuration in force has none that cannot be asked.
      if (typeof target !== "string") byTarget.set(target, probe);
    }
    const prober: Prober = new Prober({
      targets: [...byTarget.keys()],
      onNews: (target, news) => {
        const { name, service } = byTarget.get(target)!;
        const found = contentOf(news);
        if (found === undefined) return;
        this.#options.take({
          probe: name,
          run,
          target: target.name,
          ...(service === undefined ? {} : { service }),
          sentMs: prober.wallNowMs,
          ...found,
        });
      },
      onOwnTrouble: (text) => this.#trouble(text),
    });
    return prober;
  }

  #startWrites({ name, service, options, write }: NodeProbe, run: string): WriteWatch | undefined {
    if (write === undefined) return undefined;
    const door = httpDoor(write);
    const watch: WriteWatch = new WriteWatch({
      door,
      everyMs: options.intervalMs,
      keep: KEPT_WRITES,
      name: `${name}-${this.#options.node()}`,
      onLoss: ({ fromMs, toMs, lost, rpoMs }) => {
        // Of one that is over: its rows may be another one's by now.
        if (!this.#writes.includes(watch)) return;
        const reason = `${lost} acknowledged writes are gone, ${formatDuration(rpoMs)} of work`;
        this.#options.take({
          probe: name,
          run,
          target: `write ${door.name}`,
          ...(service === undefined ? {} : { service }),
          sentMs: wallMs(),
          buckets: [],
          outages: [{ fromMs, toMs, failed: 0, ownMs: 0, reason, lost }],
        });
      },
    });
    return watch;
  }

  #trouble(text: string): void {
    if (wallMs() - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = wallMs();
    this.#options.trouble(text);
  }
}

function contentOf(news: WatchNews): Pick<ProbeReport, "buckets" | "outages"> | undefined {
  if (news.kind === "bucket") return { buckets: [news.bucket], outages: [] };
  return "outage" in news ? { buckets: [], outages: [news.outage] } : undefined;
}
