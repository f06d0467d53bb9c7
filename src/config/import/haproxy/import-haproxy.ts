import type { ImportSource } from "../import-file.ts";

export function importHaproxy({ path, findings }: ImportSource): void {
  const at = { file: path, line: 1, column: 1, text: "" };
  findings.error(at, "haproxy.cfg cannot be imported yet");
}
