/** Two nodes of one virtual router, compared: what only shows when both files are read. */

import type { Authentication, InstanceSettings } from "../core/vrrp/settings.ts";
import { type Diagnostic, Findings, type Place } from "./diagnostic.ts";
import { placeOf } from "./hurts.ts";
import type { Model } from "./model.ts";

interface Pair {
  readonly mine: InstanceSettings;
  readonly theirs: InstanceSettings;
  readonly at: Place;
  /** File of the other node. */
  readonly other: string;
}

/**
 * Instances are matched by VRID and family. What both nodes have in common is told once, at its
 * place in `here`; what only one of them does wrong, at its place in that one's file.
 */
export function pairWarnings(here: Model, there: Model): Diagnostic[] {
  const findings = new Findings();
  for (const pair of pairsOf(here, there, findings)) {
    comparePriorities(pair, findings);
    compareWire(pair, findings);
    comparePolicy(pair, findings);
    compareOneWay(pair, findings);
  }
  for (const pair of pairsOf(there, here, findings)) compareOneWay(pair, findings);
  return findings.list;
}

function pairsOf(from: Model, to: Model, findings: Findings): Pair[] {
  return from.vrrp.instances.flatMap((mine) => {
    const theirs = to.vrrp.instances.find(
      (one) => one.vrid === mine.vrid && one.family === mine.family,
    );
    const at = placeOf(from, `vrrp_instance ${mine.name}`);
    if (theirs !== undefined) {
      return [{ mine, theirs, at, other: placeOf(to, `vrrp_instance ${theirs.name}`).file }];
    }
    const reason = `${mine.name} is alone: the other node has no ${mine.family === "ipv4" ? "IPv4" : "IPv6"} instance of virtual_router_id ${mine.vrid}`;
    findings.warn(at, reason, "give both the same virtual_router_id");
    return [];
  });
}

function comparePriorities({ mine, theirs, at, other }: Pair, findings: Findings): void {
  if (mine.priority !== theirs.priority) return;
  const reason = `priority ${mine.priority} is the same in ${other}: the higher IP address wins, not the node you mean`;
  findings.warn(at, reason, "give the preferred node the higher one, e.g. 254 and 253");
}

function compareWire({ mine, theirs, at, other }: Pair, findings: Findings): void {
  const differ = (what: string, a: unknown, b: unknown): void => {
    if (a === b) return;
    const reason = `${what} is ${String(a)} here and ${String(b)} in ${other}: each ignores the other's adverts`;
    findings.error(at, `${reason}, and both become master`, `make ${what} equal on both nodes`);
  };
  // A node that speaks both versions is heard by a node of either.
  const both = mine.alsoVersion2 === true || theirs.alsoVersion2 === true;
  if (!both) differ("the VRRP version", mine.version, theirs.version);
  if (mine.version === 2 && theirs.version === 2) {
    differ("advert_int", mine.advertIntervalMs / 1000, theirs.advertIntervalMs / 1000);
    const list = (i: InstanceSettings): string =>
      i.addresses
        .map((a) => a.address)
        .sort()
        .join(" ");
    differ("virtual_ipaddress", list(mine), list(theirs));
  }
  if (!both || usesVersion2(mine, theirs)) {
    differ("authentication", mine.authentication.kind, theirs.authentication.kind);
  }
  if (!samePassword(mine.authentication, theirs.authentication)) {
    findings.error(at, `auth_pass is not that of ${other}`, "both nodes need the same password");
  }
  differ("the kind of transport", mine.transport.kind, theirs.transport.kind);
}

/** Both speak version 2, which is where passwords are. */
function usesVersion2(...sides: readonly InstanceSettings[]): boolean {
  return sides.every((side) => side.version === 2 || side.alsoVersion2 === true);
}

function samePassword(a: Authentication, b: Authentication): boolean {
  return !("password" in a) || !("password" in b) || a.password === b.password;
}

function comparePolicy({ mine, theirs, at, other }: Pair, findings: Findings): void {
  if (mine.startAsMaster && theirs.startAsMaster) {
    const reason = `state is MASTER here and in ${other}`;
    findings.warn(at, reason, "write BACKUP on the node with the lower priority");
  }
  if (mine.preempt !== theirs.preempt) {
    const who = mine.preempt ? "here" : `in ${other}`;
    const reason = `only the node ${who} preempts`;
    findings.warn(at, reason, "write nopreempt on both nodes, or on none");
  }
}

function compareOneWay(pair: Pair, findings: Findings): void {
  comparePeers(pair, findings);
  compareWeights(pair, findings);
}

function comparePeers({ mine, theirs, at, other }: Pair, findings: Findings): void {
  if (mine.transport.kind !== "unicast" || theirs.sourceAddress === undefined) return;
  const peers = mine.transport.peers.map((peer) => peer.address);
  if (peers.includes(theirs.sourceAddress)) return;
  const reason = `${theirs.sourceAddress} of ${other} is not among the unicast peers`;
  findings.error(at, reason, `add ${theirs.sourceAddress} to unicast_peer`);
}

/** A failed check has to bring the stronger node below the weaker one, or nothing moves. */
function compareWeights({ mine, theirs, at, other }: Pair, findings: Findings): void {
  const gap = mine.priority - theirs.priority;
  for (const track of mine.tracks) {
    const weight = Math.abs(track.weight);
    if (track.kind === "file" || weight === 0 || gap <= 0 || weight > gap) continue;
    const reason = `the failure of ${track.kind} ${track.name} costs ${weight}, but ${other} is ${gap} behind: nothing moves`;
    findings.warn(at, reason, `use weight ${-(gap + 1)}, or weight 0 for FAULT`);
  }
}
