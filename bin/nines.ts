/** The one program: a command for people, or (`role …`) one of the processes it is made of. */

const [verb, role, ...rest] = process.argv.slice(2);
if (verb === "role" && role === "console") {
  const { beginRole } = await import("../src/daemon/role.ts");
  // It can be found before all of its code is read.
  const places = beginRole("console", rest);
  const { runConsoleRole } = await import("../src/console/console-role.ts");
  await runConsoleRole(places);
} else if (verb === "role") {
  const { runRole } = await import("../src/daemon/role.ts");
  await runRole(role ?? "", rest);
} else {
  const command = process.argv.slice(2).find((word) => !word.startsWith("-"));
  if (command === "run" || command === "balance") {
    const { holdSignals } = await import("../src/daemon/node-signals.ts");
    holdSignals();
  }
  const { main } = await import("../src/cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
}
