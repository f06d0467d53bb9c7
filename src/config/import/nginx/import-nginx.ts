import type { ImportSource } from "../import-file.ts";

export function importNginx({ path, findings }: ImportSource): void {
  const at = { file: path, line: 1, column: 1, text: "" };
  findings.error(at, "nginx.conf cannot be imported yet");
}
