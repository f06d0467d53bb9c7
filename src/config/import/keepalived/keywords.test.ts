import assert from "node:assert/strict";
import { test } from "node:test";
import { mailedVirtualServer } from "../../../../test/kit/mailed-virtual-server.ts";
import { DISK } from "../../disk.ts";
import { importFile } from "../import-file.ts";

test("mail and FIFOs of checkers are carried over", () => {
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
    [],
  );
  assert.match(text ?? "", /^  smtp_alert_checker: true\n  no_checker_emails: true$/mu);
  assert.match(text ?? "", /^  lvs_notify_fifo: \/run\/lvs\.fifo nobody$/mu);
  assert.match(text ?? "", /^  lvs_notify_fifo_script: /mu);
});

/** The pool of a virtual server with two real servers, as it is written. */
function importedPool(globals: string, ofVirtual: string, ofReal: string): string {
  const conf = mailedVirtualServer(globals, ofVirtual, ofReal);
  const { text = "", losses } = importFile(
    "keepalived.conf",
    { newSecret: () => "" },
    { ...DISK, readFile: () => conf },
  );
  assert.deepEqual(
    losses.filter((one) => one.text.includes("smtp")),
    [],
  );
  const lines = /^pools:\n(?<lines>(?: .*\n)*)/mu.exec(text)?.groups?.["lines"] ?? "";
  return lines
    .split("\n")
    .filter((line) => /smtp|address|quorum/u.test(line))
    .join("");
}

test("mail about servers and the quorum goes on as it was, and only what differs is written", () => {
  assert.match(importedPool("", "", ""), /^ +smtp_alert: true$/u);
  assert.equal(importedPool("smtp_alert", "", ""), "");
  assert.match(importedPool("smtp_alert", "smtp_alert off", ""), /quorum.*smtp_alert: false/u);
  const mixed = /^ +- \{address: "?10\.0\.0\.1:80"?, smtp_alert: false\}/u;
  assert.match(importedPool("smtp_alert_checker on", "", "smtp_alert off"), mixed);
});

test("ha_suspend is carried over, where the addresses of all clients are known", () => {
  const imported = (members: string): readonly (string | undefined)[] => {
    const conf = `virtual_server_group G {
 ${members}
}
virtual_server group G {
 ha_suspend
 protocol TCP
 real_server 10.0.0.1 80 {
  TCP_CHECK {
  }
 }
}
`;
    const from = { ...DISK, readFile: () => conf };
    const { text, losses } = importFile("keepalived.conf", { newSecret: () => "" }, from);
    const told = losses.filter(({ text: words }) => words === "ha_suspend");
    return [/while_held: .*/u.exec(text ?? "")?.[0], ...told.map(({ next }) => next)];
  };
  assert.deepEqual(imported("192.0.2.10 80"), ["while_held: 192.0.2.10"]);
  const [held, lost] = imported("192.0.2.10 80\n fwmark 3");
  assert.equal(held, undefined);
  assert.match(lost ?? "", /nobody holds a firewall mark/u);
});
