/**
 * The check role: watches scripts, processes, files and witnesses for the vrrp role, and carries
 * out its notifications. It is a process of its own, so that neither a script nor a mail server
 * ever delays an advert, and so that its death costs nothing: verdicts are found anew,
 * notifications are told again until they are acknowledged. Checks the balancer's servers too.
 */

import { keepInheritedFromChildren } from "../drivers/descriptors.ts";
import { Agenda } from "./agenda.ts";
import { CheckLink, hasSuccessor } from "./check-role-link.ts";
import { TrackedChecks } from "./check-role-checks.ts";
import { ServerChecks } from "./check-role-servers.ts";
import { Tracks } from "./check-role-tracks.ts";
import { NotifyDesk } from "./notify-desk.ts";
import { MailAlerts } from "./notify-mail.ts";
import { NotifyLines } from "./notify-lines.ts";
import type { ToCheck } from "./role-protocol.ts";
import { keepShowingLife } from "./role-spawn.ts";
import type { RunDirectory } from "./run-directory.ts";

/** Never returns while the role lives; the process ends by `stop`, a signal, or a successor. */
export async function runCheckRole(directory: RunDirectory, stateDirectory: string): Promise<void> {
  keepInheritedFromChildren();
  const agenda = new Agenda();
  const link: CheckLink = new CheckLink(directory, {
    connected: () => {
      tracks.reportAll();
      checks.reportAll();
    },
    message: (message) => receive(message),
    replaced: () => end(),
  });
  const tracks = new Tracks(link, agenda);
  const checks = new TrackedChecks(link, process.pid);
  const lines = new NotifyLines(agenda);
  const mails = new MailAlerts(stateDirectory, agenda, (reason) => note(reason, servers, link));
  const servers: ServerChecks = new ServerChecks(process.pid, lines, mails);
  const desk = new NotifyDesk(link, agenda, lines, mails);

  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    tracks.close();
    checks.close();
    desk.close();
    // Nobody tells again what a FIFO took: its script reads that first.
    const told = lines.close(hasSuccessor(directory));
    link.close();
    agenda.close();
    void Promise.all([servers.finish(), told]).then(() => {
      servers.close();
      // Whatever is still on its way - a mail, a pipe of a service that a script revived - must
      // not keep the process; the acknowledgements are given one turn to leave.
      setImmediate(() => process.exit(0));
    });
  };

  const receive = (message: ToCheck): void => {
    switch (message.type) {
      case "configure-check":
        tracks.configure(message.model, message.known);
        checks.configure(message.model, message.known);
        desk.configure(message.model);
        break;
      case "notify":
        desk.request(message);
        break;
      case "stop":
        tracks.close();
        checks.close();
        desk.finish(end);
    }
  };

  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  try {
    await servers.listen(directory.checkSocket);
  } catch (error) {
    const reason = `servers cannot be checked: ${directory.checkSocket}: ${String(error)}`;
    link.tell({ instance: "", kind: "configuration-error", reason });
  }
  keepShowingLife("check", directory.path);
  await link.connect();
}

/** One of the two roles that we work for may be missing. */
function note(reason: string, servers: ServerChecks, link: CheckLink): void {
  if (!servers.note("", reason)) {
    link.tell({ instance: "", kind: "note", level: "warning", reason });
  }
}
