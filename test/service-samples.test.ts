/** Every sample of nines.yaml is right on each of its nodes, without a warning. */

import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { test } from "node:test";
import { loadConfiguration } from "../src/daemon/load-configuration.ts";

const samples = globSync("samples/**/nines.yaml", {
  cwd: new URL("../", import.meta.url).pathname,
});

test("there are samples of nines.yaml", () => assert.ok(samples.length > 0));

for (const path of samples) {
  for (const node of ["lb1", "lb2"]) {
    test(`${path} is right on ${node}`, () => {
      const file = new URL(`../${path}`, import.meta.url).pathname;
      const { model, lines } = loadConfiguration(file, { permissive: false, node });
      assert.deepEqual(lines, []);
      assert.equal(model?.vrrp.instances.length, 1);
    });
  }
}
