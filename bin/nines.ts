/** The one program: a command for people, or (`role …`) one of the processes it is made of. */

import { enableCompileCache } from "node:module";

// A role that died must be back within a fraction of an advert interval: half of a cold start
// is compiling. Where the cache cannot be written, nothing is lost but that.
enableCompileCache();

const [verb, role, ...rest] = process.argv.slice(2);
if (verb === "role") {
  const { runRole } = await import("../src/daemon/role.ts");
  await runRole(role ?? "", rest);
} else {
  const { main } = await import("../src/cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
}
