import assert from "node:assert/strict";
import { test } from "node:test";
import { type Reading, readKeepalivedConf } from "../../read-configuration.ts";

function read(lines: string): Reading {
  const files = { readFile: () => `global_defs {\n${lines}\n}\n`, glob: () => [] };
  return readKeepalivedConf("f", { hostName: "h" }, files);
}

test("a mail address may have a name before it, which is quoted for the mail", () => {
  const { mail } = read(`notification_email {
root
ops@example.net "My admin <admin@example.net>" "Doe, Jo <jo@example.net>"
}
notification_email_from Load Balancer <lb@example.net>`).model!;
  assert.deepEqual(mail.to, [
    "root",
    "ops@example.net",
    '"My admin" <admin@example.net>',
    '"Doe, Jo" <jo@example.net>',
  ]);
  assert.equal(mail.from, '"Load Balancer" <lb@example.net>');
  assert.equal(read("").model!.mail.from, "keepalived@h");
});

test("what is no address is told", () => {
  for (const wrong of ["a@b,c@d", '"Me <a b>"', "a@b@c"]) {
    const { diagnostics } = read(`notification_email {\n${wrong}\n}`);
    assert.match(diagnostics[0]!.reason, /is not a mail address$/u, wrong);
  }
  assert.match(
    read("notification_email_from a@b,c@d").diagnostics[0]!.reason,
    /not a mail address/u,
  );
});
