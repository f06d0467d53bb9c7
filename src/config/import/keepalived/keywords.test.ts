import assert from "node:assert/strict";
import { test } from "node:test";
import { DISK } from "../../disk.ts";
import { importFile } from "../import-file.ts";

test("what nothing is done for is told as lost, though a nines.yaml may hold it", () => {
  const conf = `global_defs {
  router_id lb1
  smtp_alert_checker on
  no_checker_emails
  lvs_notify_fifo /run/lvs.fifo nobody
  lvs_notify_fifo_script /bin/true
}
`;
  const { text, losses } = importFile(
    "keepalived.conf",
    { newSecret: () => "" },
    { ...DISK, readFile: () => conf },
  );
  assert.deepEqual(
    losses.map(({ line, severity }) => `${line}: ${severity}`),
    [3, 4].map((line) => `${line}: warning`),
  );
  assert.match(text ?? "", /^  lvs_notify_fifo: \/run\/lvs\.fifo nobody$/mu);
  assert.match(text ?? "", /^  lvs_notify_fifo_script: /mu);
});
