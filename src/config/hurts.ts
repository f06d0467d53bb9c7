/** placeholder to be replaced at once */
import type { Diagnostic } from "./diagnostic.ts";
import type { Model } from "./model.ts";
export interface HostFacts {
  readonly interfaces?: readonly string[];
}
export function hostWarnings(_model: Model, _facts: HostFacts): Diagnostic[] {
  return [];
}
