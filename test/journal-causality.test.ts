/** Real routers tell what happened, each by a clock that is hours off: the story is what happened. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalRecord } from "../src/core/journal/record.ts";
import { mergeJournals } from "../src/core/journal/merge.ts";
import { EPOCH_MS, Segment, type SegmentNode } from "./kit/vrrp-segment.ts";
import { instance, node } from "./kit/vrrp-settings.ts";

/** Journals of all nodes, in the true order, while `segment` goes on for `ms`. */
class Scribe {
  readonly records: JournalRecord[] = [];
  readonly #segment: Segment;
  readonly #skews: readonly number[];
  readonly #read = new Map<SegmentNode, number>();
  readonly #seqs = new Map<string, number>();

  constructor(segment: Segment, skews: readonly number[]) {
    this.#segment = segment;
    this.#skews = skews;
  }

  watch(ms: number): void {
    const { nodes } = this.#segment;
    const end = this.#segment.now + ms;
    while (this.#segment.now < end) {
      const known = count(nodes);
      // Masters send adverts all the time: this is never long.
      this.#segment.until(() => count(nodes) !== known || this.#segment.now >= end);
      this.note();
    }
  }

  note(): void {
    this.#segment.nodes.forEach((one, i) => {
      const from = this.#read.get(one) ?? 0;
      this.#read.set(one, one.actions.length);
      for (const action of one.actions.slice(from)) {
        if (action.type !== "report") continue;
        const { instance: subject, kind, reason, ...data } = action.event;
        const seq = (this.#seqs.get(one.name) ?? 0) + 1;
        this.#seqs.set(one.name, seq);
        const wallMs = EPOCH_MS + this.#segment.now + this.#skews[i]!;
        const monoMs = this.#segment.now + (i + 1) * 12_345_678;
        const clock = { node: one.name, seq, boot: one.name, wallMs, monoMs };
        this.records.push({ ...clock, source: "vrrp", level: "info", kind, subject, reason, data });
      }
    });
  }
}

function count(nodes: readonly SegmentNode[]): number {
  return nodes.reduce((sum, { actions }) => sum + actions.length, 0);
}

const HOUR = 3_600_000;

for (const skews of [
  [0, -7 * HOUR],
  [0, 9 * HOUR],
  [3 * HOUR, 3 * HOUR - 2_000],
]) {
  test(`handovers to and fro are told in their true order, clocks off by ${skews.join(" and ")} ms`, () => {
    const segment = new Segment();
    const a = segment.add("A", node([instance({ priority: 150 })]));
    const b = segment.add("B", node([instance()]));
    const scribe = new Scribe(segment, skews);
    scribe.watch(20_000);
    assert.equal(a.state, "MASTER");
    for (const [from, gap] of [
      [a, 17_000],
      [b, 31_000],
      [a, 7_500],
      [b, 45_000],
    ] as const) {
      segment.input(from, { type: "handover-requested", instance: "V1", reason: "asked" });
      scribe.note();
      scribe.watch(gap);
    }
    const story = mergeJournals(scribe.records, { reference: "A" }).map(({ record }) => record);
    const changes = (list: readonly JournalRecord[]): string[] =>
      list
        .filter(
          ({ kind, data }) =>
            kind === "state-changed" && (data?.["from"] === "MASTER" || data?.["to"] === "MASTER"),
        )
        .map(
          (record) =>
            `${record.node} ${String(record.data?.["from"])} -> ${String(record.data?.["to"])} (${String(record.data?.["cause"])})`,
        );
    assert.ok(changes(scribe.records).length >= 9);
    assert.deepEqual(changes(story), changes(scribe.records));
    const heard = scribe.records.filter(({ data }) => data?.["cause"] === "resigned");
    assert.ok(heard.length >= 3);
    for (const { node: name, data } of heard) {
      const [self, other] = name === "A" ? [a, b] : [b, a];
      assert.deepEqual(
        [data?.["address"], data?.["peer"]],
        [self.address("ipv4"), other.address("ipv4")],
      );
    }
  });
}
