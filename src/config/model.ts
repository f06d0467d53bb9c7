/**
 * Everything that one configuration file says, typed, defaulted and checked.
 *
 * The daemon hands each part to the process that carries it out. Times are milliseconds unless
 * the name says otherwise.
 */

import type { NotifyCommand, VrrpSettings } from "../core/vrrp/settings.ts";
import type { VirtualServerSettings } from "./virtual-server.ts";

export interface Model {
  readonly vrrp: VrrpSettings;
  readonly mail: MailSettings;
  readonly scripts: ScriptSecurity;
  readonly processes: ProcessesSettings;
  readonly fifos: FifoSettings;
  readonly hooks: LifecycleHooks;
  readonly virtualServers: readonly VirtualServerSettings[];
  /** `net_namespace NAME` (top level): run everything inside that network namespace. */
  readonly networkNamespace?: string;
  /** `instance NAME` (top level): tells several daemons on one host apart. */
  readonly daemonInstance?: string;
  /** Debounce of links (`interface_up_down_delays`): down, then up, ms. */
  readonly interfaceDelays: readonly InterfaceDelay[];
  /** `linkbeat_interfaces`, `linkbeat_use_polling`: the driver is asked for the link too. Absent = of none. */
  readonly polledLinks?: readonly PolledLink[];
  /** `checker_log_all_failures`: failures of checks that change nothing are told, too. */
  readonly logAllFailures?: true;
  /** `rs_init_notifies`: servers that count as up from the start are told of by scripts and FIFOs. */
  readonly startNotices?: true;
  /** `dynamic_interfaces`: an interface may be absent at start. */
  readonly dynamicInterfaces: boolean;
  /** `reload_check_config`. Nines always checks before a reload; kept for the log file named. */
  readonly reloadLog?: string;
  /** Where each named thing was written, so that later warnings can point at it. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Where a thing was written. Keys of `Model.origins` are `KIND NAME`, e.g. `vrrp_instance VI_1`. */
export interface Origin {
  /** The word that stands there. */
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * `verify`: valid for the server's name and from a known authority; `accept`: any, which keeps off
 * those who only listen; `off`: plain text even if the server offers better.
 */
export type MailTls = "verify" | "accept" | "off";

/** Mail alerts (`notification_email`, `smtp_*`). No recipients: no mail. */
export interface MailSettings {
  readonly to: readonly string[];
  readonly from: string;
  /** Absent: mail cannot be sent. */
  readonly server?: { readonly host: string; readonly port: number };
  /** Name in HELO/EHLO; default: the host name. */
  readonly heloName?: string;
  /** `smtp_tls`: what the server's certificate must be. Default `verify`. */
  readonly tls: MailTls;
  /** Default 30000. */
  readonly connectTimeoutMs: number;
  /** False (`no_email_faults`): no mail when an instance goes to FAULT. */
  readonly onFault: boolean;
  /** `smtp_alert_checker`, else `smtp_alert`: default of `smtp_alert` of pools, virtual and real servers. */
  readonly checker?: boolean;
  /** `no_checker_emails`: not of each check of a server that has several. */
  readonly serversOnly?: true;
}

/** `script_user`, `enable_script_security`. */
export interface ScriptSecurity {
  /** Absent: `keepalived_script` if that user exists, else the user of the daemon. */
  readonly user?: string;
  readonly group?: string;
  /** Refuse scripts that somebody other than root could change. Nines: always an error, never a skip. */
  readonly enforce: boolean;
}

/** How one role's process is treated by the kernel. */
export interface RoleProcess {
  /** SCHED_RR priority 1-99; absent: the daemon's own choice. */
  readonly realtimePriority?: number;
  /** Longest CPU burst without blocking in real-time class, microseconds (RLIMIT_RTTIME). */
  readonly rttimeLimitUs?: number;
  /** Nice value -20..19. */
  readonly nice?: number;
  readonly cpus: readonly number[];
}

export interface ProcessesSettings {
  readonly vrrp: RoleProcess;
  readonly checker: RoleProcess;
  /** How long ending roles are waited for (`child_wait_time`), default 5000. */
  readonly childWaitMs: number;
}

interface FifoTarget {
  readonly path: string;
  readonly user?: string;
  readonly group?: string;
}

/** One FIFO with the script that reads it. The script gets the path as its last argument. */
export interface Fifo {
  readonly target?: FifoTarget;
  readonly script?: NotifyCommand;
}

export interface FifoSettings {
  /** `notify_fifo`. */
  readonly all: Fifo;
  /** `vrrp_notify_fifo`: the lines of addresses only. */
  readonly vrrp: Fifo;
  /** `lvs_notify_fifo`: those of servers and pools only. */
  readonly lvs: Fifo;
  /** `fifo_write_vrrp_states_on_reload`. */
  readonly writeStatesOnReload: boolean;
}

export interface LifecycleHook {
  readonly command: NotifyCommand;
  /** Default 10000, range 1000-1000000. */
  readonly timeoutMs: number;
}

/** `startup_script` before the roles start, `shutdown_script` after they ended. */
export interface LifecycleHooks {
  readonly startup?: LifecycleHook;
  readonly shutdown?: LifecycleHook;
}

export interface InterfaceDelay {
  readonly interface: string;
  readonly downMs: number;
  readonly upMs: number;
}

export interface PolledLink {
  readonly interface: string;
  /** The way that is tried first. Default mii. */
  readonly method: "mii" | "ethtool" | "ioctl";
}
