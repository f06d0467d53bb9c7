import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrontendSettings } from "../core/proxy/frontend-settings.ts";
import { descriptorLimit, descriptorWarning } from "./descriptor-limit.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             31337                31337                processes
Max open files            1024                 4096                 files
Max locked memory         67108864             67108864             bytes
`;

test("the hard limit counts, and none that is known is no limit", () => {
  assert.equal(descriptorLimit(LIMITS), 4096);
  assert.equal(descriptorLimit(LIMITS.replace("4096     ", "unlimited")), Infinity);
  assert.equal(descriptorLimit(""), Infinity);
});

test("too few descriptors for all clients are told with what to do", () => {
  const front = (connections: number) => ({ limits: { connections } }) as FrontendSettings;
  assert.equal(descriptorWarning({ frontends: [front(2000)] }, 4096), undefined);
  const text = descriptorWarning({ frontends: [front(2000), front(100)] }, 4096);
  assert.match(
    text ?? "",
    /^a worker may open 4096 files, and 2100 connections .*: raise LimitNOFILE/,
  );
});
