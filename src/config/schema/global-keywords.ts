/** Keywords outside of all blocks and the common ones of `global_defs`. See schema.ts. */
export const GLOBAL_KEYWORDS: string = `
[top]
+ global_defs | block global_defs | | Settings of the whole node. | man, Global definitions
+ vrrp_instance | block vrrp_instance NAME | | A virtual router: addresses that follow the elected master. | man, VRRP instance(s); RFC 9568
+ vrrp_sync_group | block vrrp_sync_group NAME | | Instances that change state together. | man, VRRP synchronization group(s)
+ vrrp_script | block vrrp_script NAME | | A command run again and again; its exit code is what is tracked. | man, VRRP script(s)
+ vrrp_track_process | block vrrp_track_process NAME | | A process that has to run. | man, VRRP track processes
+ track_process | block vrrp_track_process NAME | | Older name of vrrp_track_process. | man, VRRP track processes
+ vrrp_track_file | block track_file NAME | | Older name of track_file. | man, Track files
+ track_file | block track_file NAME | | A file with a number in it that changes priorities. | man, Track files
+ static_ipaddress | lines | | Addresses that this node always has. | man, Static routes/addresses/rules
+ static_routes | lines | | Routes that this node always has. | man, Static routes/addresses/rules; ip-route(8)
+ static_rules | lines | | Routing rules that this node always has. | man, Static routes/addresses/rules; ip-rule(8)
+ garp_group | block garp_group | | Pause between announcements on one or several interfaces. | man, VRRP gratuitous ARP
+ interface_up_down_delays | lines | | Per interface: seconds before a link that went down or up is believed. | man, Interface up/down status change debouncing
+ net_namespace | word | | Network namespace to run in; stands outside of global_defs. | man, Global definitions
+ instance | word | | Tells several daemons on one host apart. | man, Global definitions
+ child_wait_time | seconds 0..3600 | 5 | How long ending processes are waited for. | man, Global definitions
~ virtual_server | block virtual_server ARGS | | A load-balanced service: IP PORT, fwmark N or group NAME. | man, Virtual server(s)
~ virtual_server_group | lines NAME | | Addresses, ranges and marks that share real servers. | man, Virtual server group(s)
~ SSL | block SSL | | Client certificate of SSL_GET checks. | man, SSL
+ track_group | block track_group NAME | | Instances that are in FAULT while a static address, route or rule that names the group cannot be put back. | man, Static track groups
+ bfd_instance | block bfd_instance NAME | | A BFD session: a neighbour that falls silent is told within milliseconds. | man, BFD CONFIGURATION
+ linkbeat_interfaces | lines | | Interfaces whose driver is asked for the link each second, beside what the kernel tells at once: NAME [MII, ETHTOOL or IOCTL]. | man, Linkbeat interfaces
+ linkbeat_use_polling | flag | | The same for every interface of adverts and tracks. | man, Global definitions
- net_namespace_ipvs | word | | Network namespace of the IPVS table; Nines balances without IPVS. | man, Global definitions
- namespace_with_ipsets | flag | | ipsets inside namespaces on kernels before 3.13. | man, Global definitions
- use_pid_dir | flag | | Where keepalived puts pid files; Nines has a run directory. | man, Global definitions
- include_check | any | | Which missing includes are mistakes; in Nines a missing file always is. | man, Global definitions
- daemon_name | word | | Name of keepalived's processes. | keepalived source
- process_name | word | | Name of keepalived's process. | keepalived source

[global_defs]
+ router_id | word | the host name | Name of this node in mails and notifications. | man, Global definitions
+ notification_email | lines | | Recipients of mail alerts, one a line. | man, Global definitions
+ notification_email_from | words 1..1000 | keepalived@HOST | Sender of mail alerts. | man, Global definitions
+ smtp_server | words 1..2 | | Mail server: host or address, then the port (25). | man, Global definitions; RFC 5321
+ smtp_helo_name | word | the host name | Name given in HELO. | man, Global definitions; RFC 5321 4.1.1.1
+ smtp_tls | one-of verify,accept,off | verify | Nines: with STARTTLS, or at port 465: the mail server's certificate must be valid; accept takes any; off never upgrades. A server on this machine is spoken to in plain. | Nines; RFC 3207
+ smtp_connect_timeout | seconds 1..1000 | 30 | How long the mail server is waited for. | man, Global definitions
+ smtp_alert | bool | off | Default of every smtp_alert. | man, Global definitions
+ smtp_alert_vrrp | bool | off | Default of smtp_alert in instances and sync groups. | man, Global definitions
+ smtp_alert_checker | bool | smtp_alert | Default of smtp_alert in virtual and real servers, and in pools. | man, Global definitions
+ no_email_faults | flag | | No mail when an instance goes to FAULT. | man, Global definitions
+ no_checker_emails | flag | | Of a server with several checks: mail when it goes down or comes back, not on each change of one of them. | man, Global definitions
+ enable_script_security | bool | off | Refuse root's scripts that others could change. | man, Global definitions
+ script_user | words 1..2 | keepalived_script | User (and group) that scripts run as. | man, Global definitions
+ startup_script | script | | Run once before anything starts. | man, Global definitions
+ startup_script_timeout | seconds 1..1000 | 10 | Time the startup script may take. | man, Global definitions
+ shutdown_script | script | | Run once after everything ended. | man, Global definitions
+ shutdown_script_timeout | seconds 1..1000 | 10 | Time the shutdown script may take. | man, Global definitions
+ notify_fifo | words 1..3 | | FIFO that gets every event of instances and groups, and of pools and their servers, as a line. | man, Global definitions
+ notify_fifo_script | script | | Reads notify_fifo; gets its path as last argument. | man, Global definitions
+ vrrp_notify_fifo | words 1..3 | | FIFO that gets the events of instances and groups. | man, Global definitions
+ vrrp_notify_fifo_script | script | | Reads vrrp_notify_fifo. | man, Global definitions
+ lvs_notify_fifo | words 1..3 | | FIFO that gets the events of pools and their servers: VS [192.0.2.10]:tcp:80 UP, RS [10.0.0.1]:tcp:80 [192.0.2.10]:tcp:80 DOWN. | man, Global definitions
+ lvs_notify_fifo_script | script | | Reads lvs_notify_fifo. | man, Global definitions
+ fifo_write_vrrp_states_on_reload | flag | | Write all states to the FIFOs after a reload. | man, Global definitions
+ vrrp_version | one-of 2,3 | 2 | Version of instances that do not say; IPv6 always is 3. | man, Global definitions; RFC 9568
+ vrrp_mcast_group4 | address | 224.0.0.18 | IPv4 group that adverts go to. | RFC 9568 5.1.1.2
+ vrrp_mcast_group6 | address | ff02::12 | IPv6 group that adverts go to. | RFC 9568 5.1.2.2
+ default_interface | word | eth0 | Interface of static addresses that name none. | man, Global definitions
+ vrrp_garp_master_delay | seconds 0..3600 | 5 | Second burst of announcements after becoming master; 0 = none. | man, Global definitions
+ vrrp_garp_master_repeat | int 1..255 | 5 | Announcements in a burst. | man, Global definitions
+ vrrp_garp_master_refresh | seconds 0..86400 | 0 | Time between announcements while master; 0 = never. | man, Global definitions
+ vrrp_garp_master_refresh_repeat | int 1..255 | 1 | Announcements in each refresh. | man, Global definitions
+ vrrp_garp_lower_prio_delay | seconds 0..3600 | vrrp_garp_master_delay | Second burst after a weaker advert was heard. | man, Global definitions
+ vrrp_garp_lower_prio_repeat | int 0..255 | vrrp_garp_master_repeat | Announcements after a weaker advert was heard. | man, Global definitions
+ vrrp_garp_interval | seconds 0..3600 | 0 | Pause between two gratuitous ARPs on an interface. | man, Global definitions
+ vrrp_gna_interval | seconds 0..3600 | 0 | Pause between two neighbour advertisements on an interface. | man, Global definitions
+ vrrp_min_garp | bool | off | One announcement only, no second burst. | man, Global definitions
+ vrrp_lower_prio_no_advert | bool | off | A master stays silent when it hears a weaker one. | man, Global definitions; RFC 5798 6.4.3
+ vrrp_higher_prio_send_advert | bool | on | The loser sends a last advert so that the winner announces again; keepalived: off. | man, Global definitions
+ vrrp_down_timer_adverts | int 1..100 | 3 | Adverts that may be missed before the master counts as dead. | RFC 9568 6.1
+ vrrp_check_unicast_src | flag | | Drop unicast adverts whose sender is not a listed peer. | man, Global definitions
+ vrrp_skip_check_adv_addr | bool | off | Do not compare the address list of each advert. | man, Global definitions
+ vrrp_strict | flag | | RFC 5798 to the letter; makes the addresses unreachable unless priority is 255. | man, Global definitions; RFC 5798
+ vrrp_owner_ignore_adverts | bool | off | The owner (priority 255) ignores adverts. | keepalived source
+ v3_checksum_as_v2 | bool | off | Checksum of version 3 over IPv4 without the pseudo header. | RFC 9568 5.2.8
+ vrrp_notify_priority_changes | bool | off | Priority changes go to the FIFOs too. | man, Global definitions
+ vrrp_garp_extra_if | words 1..2 | | Announces again and again for switches that forget, where addresses are on a virtual MAC or, with all, on any other interface: [all] SECONDS. | man, Global definitions
+ vrrp_delay_after_boot | seconds 0..3600 | 0 | As vrrp_startup_delay, counted from the start of the machine. | keepalived 2.4
+ vrrp_startup_delay | seconds 0..3600 | 0 | Nothing is elected before this has passed. | man, Global definitions
+ vrrp_rt_priority | int 1..99 | | Real-time priority of the vrrp process. | man, Global definitions; sched(7)
+ vrrp_rlimit_rttime | int 2..1000000000 | 10000 | Longest CPU burst in real-time class, microseconds. | man, Global definitions; setrlimit(2)
+ vrrp_priority | int -20..19 | 0 | Nice value of the vrrp process. | man, Global definitions
+ vrrp_cpu_affinity | ints 0..4095 | | CPUs of the vrrp process. | man, Global definitions
+ checker_rt_priority | int 1..99 | | Real-time priority of the check process. | man, Global definitions
+ checker_rlimit_rttime | int 2..1000000000 | 10000 | As vrrp_rlimit_rttime, for checks. | man, Global definitions
+ checker_priority | int -20..19 | 0 | Nice value of the check process. | man, Global definitions
+ checker_cpu_affinity | ints 0..4095 | | CPUs of the check process. | man, Global definitions
+ dynamic_interfaces | words 0..1 | | Interfaces may be missing at start. | man, Global definitions
+ reload_check_config | words 0..1 | | Check before a reload; Nines always does. | man, Global definitions
+ vmac_prefix | word | vrrp | Start of the names of macvlan interfaces. | man, Global definitions
+ vmac_addr_prefix | word | vmac_prefix | The same for macvlans of single addresses. | man, Global definitions
+ checker_log_all_failures | bool | off | Tell every failed check of a server that is up, not only the one that takes it out. | man, Global definitions
+ witness | lines | | Nines: addresses of which one must answer before any instance may be master. | Nines
+ lease | bool | on | Nines: the kernel takes the addresses away when the daemon hangs; needs down_timer_adverts 2 or more. | Nines
+ restore_addresses | bool | on | Nines: put an address back at once when somebody removes it. | Nines
+ fast_handover | bool | on | Nines: take over an eighth of the skew and up to 10 ms after the master resigns. | Nines
+ announce_after_split | seconds 0..3600 | 30 | Nines: how long the winner of a healed split goes on announcing. | Nines
`;
