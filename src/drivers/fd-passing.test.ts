import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DescriptorBox, MAX_PASSED, type PassedDescriptors } from "./fd-passing.ts";

async function withBoxes(
  body: (
    from: DescriptorBox,
    toPath: string,
    next: () => Promise<PassedDescriptors>,
  ) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  let arrival = Promise.withResolvers<PassedDescriptors>();
  const from = DescriptorBox.open(join(directory, "a"), () => {});
  const to = DescriptorBox.open(join(directory, "b"), (passed) => arrival.resolve(passed));
  assert.ok(from instanceof DescriptorBox && to instanceof DescriptorBox);
  try {
    await body(from, join(directory, "b"), async () => {
      const passed = await arrival.promise;
      arrival = Promise.withResolvers();
      return passed;
    });
  } finally {
    from.close();
    to.close();
    rmSync(directory, { recursive: true });
  }
}

test("descriptors arrive open, in order, with their text", async () => {
  await withBoxes(async (from, toPath, next) => {
    const files = Array.from({ length: MAX_PASSED }, (_, i) => `${toPath}.file${i}`);
    const sent = files.map((file, i) => {
      writeFileSync(file, `content ${i}`);
      return openSync(file, "r");
    });
    assert.equal(from.send(toPath, '{"kind":"listeners"}', sent), 0);
    for (const fd of sent) closeSync(fd);
    const { text, fds } = await next();
    assert.equal(text, '{"kind":"listeners"}');
    assert.deepEqual(
      fds.map((fd) => readFileSync(fd, "utf8")),
      files.map((_, i) => `content ${i}`),
    );
    for (const fd of fds) closeSync(fd);
    assert.equal(from.send(toPath, "nothing but words", []), 0);
    assert.deepEqual(await next(), { text: "nothing but words", fds: [] });
  });
});

test("more messages than the kernel keeps for a reader arrive all the same, but for what is gone", async () => {
  await withBoxes(async (from, toPath, next) => {
    const fd = openSync(import.meta.filename, "r");
    const names = Array.from({ length: MAX_PASSED * 30 }, (_, i) => `socket ${i}`);
    const sent = from.sendAll(toPath, names, (name) => (name === "socket 7" ? undefined : fd));
    const heard: string[] = [];
    while (heard.length < names.length - 1) {
      const { text, fds } = await next();
      heard.push(...(JSON.parse(text) as string[]));
      for (const one of fds) closeSync(one);
    }
    assert.equal(await sent, 0);
    closeSync(fd);
    assert.deepEqual(
      heard,
      names.filter((name) => name !== "socket 7"),
    );
  });
});

test("a box that is not there is told by errno", async () => {
  await withBoxes(async (from, toPath) => {
    assert.equal(from.send(`${toPath}.none`, "", []), -2);
    await Promise.resolve();
  });
});
