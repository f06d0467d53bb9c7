/** What a file would change on the running system, in words. */

import { diffService } from "../config/service/diff/diff-service.ts";
import type { ServiceModel } from "../config/service/service-model.ts";
import type { Plan } from "./control-api.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";

export function planOf(running: ServiceModel, { service, lines }: LoadedConfiguration): Plan {
  if (service === undefined) return { refused: true, diagnostics: lines, changes: [] };
  return { refused: false, diagnostics: lines, changes: diffService(running, service) };
}
