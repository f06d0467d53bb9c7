/** Changes of addresses and of what belongs to them. */

import { needsRestart, renamed } from "../../../core/vrrp/reload.ts";
import type { InstanceSettings } from "../../../core/vrrp/settings.ts";
import type { ServiceModel } from "../service-model.ts";
import type { Change, Effect } from "./change.ts";
import { changedFields } from "./fields.ts";

/** Where processes live is settled when they begin. */
const AT_NEXT_START: ReadonlySet<string> = new Set(["networkNamespace"]);

/** Instances that must start anew hand their addresses over; scripts and files follow in place. */
export function diffAddresses(before: ServiceModel, after: ServiceModel): Change[] {
  const [old, now] = [before.vrrp.vrrp, after.vrrp.vrrp];
  const names = renamed(old.instances, now.instances);
  const kept = now.instances.flatMap((instance): Change[] => {
    const subject = `address ${instance.name}`;
    const was = old.instances.find(({ name }) => (names.get(name) ?? name) === instance.name);
    if (was === undefined) return [{ subject, text: "added", effect: "in place" }];
    const isRenamed = was.name !== instance.name;
    const called: Change = { subject, text: `was called ${was.name}`, effect: "in place" };
    const isAnew = needsRestart(was, instance);
    const isCut = isAnew || losesAddress(was, instance);
    const changes = changedFields(was, instance, ["name"]).map(({ path, text }): Change => {
      const effect: Effect = isCut && (isAnew || isList(path)) ? "interrupts" : "in place";
      return { subject, text: isAnew ? `${text} (the router starts anew)` : text, effect };
    });
    return isRenamed ? [called, ...changes] : changes;
  });
  const gone = old.instances
    .filter(({ name }) => !names.has(name) && now.instances.every((one) => one.name !== name))
    .map(({ name }): Change => {
      return { subject: `address ${name}`, text: "removed: given up here", effect: "interrupts" };
    });
  const others = changedFields(rest(before), rest(after)).map(({ root, path, text }): Change => {
    const short = text.length > 120 ? `${path} changed` : text;
    const waits = AT_NEXT_START.has(root);
    const when = waits ? " (at the next start of the node)" : "";
    return { subject: "global", text: `${short}${when}`, effect: "in place" };
  });
  return [...kept, ...gone, ...others];
}

/** All but what is told in another way, so that nothing that is added later is forgotten here. */
function rest({ vrrp: model }: ServiceModel): object {
  const { vrrp, origins: _places, virtualServers: _frontends, scripts, processes, ...more } = model;
  const named = { ...more, script_security: scripts, processes_of_roles: processes };
  return { ...named, ...vrrp, instances: undefined };
}

function isList(path: string): boolean {
  return /addresses/iu.test(path);
}

/** Who is connected to it is cut off. */
function losesAddress(before: InstanceSettings, after: InstanceSettings): boolean {
  const of = ({ addresses, excludedAddresses }: InstanceSettings): string[] =>
    [...addresses, ...excludedAddresses].map(({ address }) => address);
  return !new Set(of(before)).isSubsetOf(new Set(of(after)));
}
