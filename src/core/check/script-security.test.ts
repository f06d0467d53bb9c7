import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { judgeScript, type PathFact, type ScriptFacts } from "./script-security.ts";

const directory = (path: string, mode = 0o755, uid = 0, gid = 0): PathFact => ({
  path,
  kind: "directory",
  uid,
  gid,
  mode,
});
const file = (path: string, mode = 0o755, uid = 0, gid = 0): PathFact => ({
  path,
  kind: "file",
  uid,
  gid,
  mode,
});
const asRoot = (...components: PathFact[]): ScriptFacts => ({
  script: components.at(-1)!.path,
  components,
  user: "root",
  uid: 0,
  gid: 0,
});
const root = directory("/");

test("a script that only root can change is fine", () => {
  assert.equal(judgeScript(asRoot(root, directory("/etc"), file("/etc/x.sh"))), undefined);
  assert.equal(judgeScript(asRoot(root, directory("/etc", 0o775), file("/etc/x.sh"))), undefined);
});

test("as root, a part of the path that somebody else can change is unsafe, with the remedy", () => {
  const reasons = [
    asRoot(root, directory("/home/u", 0o755, 1000), file("/home/u/x.sh")),
    asRoot(root, directory("/srv", 0o775, 0, 50), file("/srv/x.sh")),
    asRoot(root, file("/x.sh", 0o757)),
  ].map((facts) => judgeScript(facts)?.reason);
  assert.deepEqual(reasons, [
    "script /home/u/x.sh is unsafe to run as root: " +
      "/home/u belongs to user 1000, who can change it; chown root /home/u",
    "script /srv/x.sh is unsafe to run as root: " +
      "/srv can be changed by group 50; chmod g-w /srv",
    "script /x.sh is unsafe to run as root: /x.sh can be changed by everybody; chmod o-w /x.sh",
  ]);
});

test("root's own script in a sticky directory cannot be replaced", () => {
  const tmp = directory("/tmp", 0o1777);
  assert.equal(judgeScript(asRoot(root, tmp, file("/tmp/x.sh"))), undefined);
  assert.equal(judgeScript(asRoot(root, tmp, file("/tmp/x.sh", 0o755, 7)))?.kind, "unsafe");
});

test("as another user only a script that everybody can change is unsafe", () => {
  const as = { user: "u", uid: 1000, gid: 1000 };
  const mine = asRoot(root, directory("/home/u", 0o755, 1000), file("/home/u/x.sh", 0o755, 1000));
  assert.equal(judgeScript({ ...mine, ...as }), undefined);
  const open = asRoot(root, file("/x.sh", 0o777, 1000));
  assert.equal(judgeScript({ ...open, ...as })?.kind, "unsafe");
});

test("a script must exist, be a file and be executable by its user", () => {
  const gone = { ...asRoot(file("/x.sh")), missing: "does not exist" };
  assert.deepEqual(judgeScript(gone), {
    kind: "missing",
    reason: "script /x.sh does not exist; correct the path",
  });
  assert.equal(judgeScript(asRoot(root, directory("/etc")))?.kind, "not-executable");
  assert.equal(judgeScript(asRoot(root, file("/x.sh", 0o644)))?.kind, "not-executable");
  const asUser = { ...asRoot(root, file("/x.sh", 0o744)), user: "u", uid: 1000, gid: 1000 };
  assert.equal(
    judgeScript(asUser)?.reason,
    "script /x.sh may not be executed by u; chmod +x /x.sh",
  );
});

test("no script that a non-root owner can write passes as root", () => {
  const fact = fc.record({
    uid: fc.nat(3),
    gid: fc.nat(3),
    mode: fc.integer({ min: 0, max: 0o7777 }),
  });
  const property = fc.property(fc.array(fact, { minLength: 1, maxLength: 5 }), (facts) => {
    const last = facts.length - 1;
    const components = facts.map(({ uid, gid, mode }, i) =>
      i === last ? file(`/${i}`, mode | 0o111, uid, gid) : directory(`/${i}`, mode, uid, gid),
    );
    const open = facts.some(({ uid, mode }) => uid !== 0 && (mode & 0o200) !== 0);
    if (open) assert.equal(judgeScript(asRoot(...components))?.kind, "unsafe");
  });
  fc.assert(property);
});
