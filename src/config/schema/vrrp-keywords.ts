/** Keywords of instances, sync groups and everything they track. See schema.ts for the form. */
export const VRRP_KEYWORDS: string = `
[vrrp_instance]
+ state | one-of MASTER,BACKUP | BACKUP | A hint: MASTER shortens the first wait, it does not make a master. | man, VRRP instance(s)
+ interface | word | | Interface that adverts are sent on and that gets the addresses. | man, VRRP instance(s)
+ virtual_router_id | int 1..255 | | Number that the nodes of one virtual router share. | RFC 9568 5.2.3
+ priority | int 1..255 | 100, 255 with state MASTER | The highest wins; 255 means that the node owns the addresses. | RFC 9568 5.2.4
+ advert_int | seconds 0.01..255 | 1 | Time between two adverts; version 2: whole seconds, version 3: up to 40.95 in steps of 0.01. | RFC 9568 5.2.7; RFC 3768 5.3.7
+ version | one-of 2,3 | vrrp_version | VRRP version; IPv6 always is 3. | RFC 9568 5.2.1
+ authentication | block authentication | | Password of version 2; prefer auth_hmac. | RFC 2338 5.3.6
+ auth_hmac | block auth_hmac | | Adverts carry an HMAC-SHA256 that is checked. | keepalived 2.4, auth_hmac
+ virtual_ipaddress | lines | | Addresses that follow the master; all of one family. One a line: ADDRESS[/LENGTH], then options. | RFC 9568 5.2.9
+ virtual_ipaddress_excluded | lines | | Addresses that follow the master but are not in the advert; written as in virtual_ipaddress. | man, VRRP instance(s)
+ virtual_routes | lines | | Routes that follow the master. | man, VRRP instance(s); ip-route(8)
+ virtual_rules | lines | | Routing rules that follow the master. | man, VRRP instance(s); ip-rule(8)
+ nopreempt | flag | | Leave a working master alone even when our priority is higher; needs state BACKUP. | RFC 9568 6.1 Preempt_Mode
+ preempt | flag | | The default; for old files. | RFC 9568 6.1 Preempt_Mode
+ preempt_delay | seconds 0..1000 | 0 | Wait before taking over from a weaker master. | man, VRRP instance(s)
+ down_timer_adverts | int 1..100 | vrrp_down_timer_adverts | Adverts that may be missed before the master counts as dead. | RFC 9568 6.1
+ mcast_src_ip | address | primary address | Source address of multicast adverts. | man, VRRP instance(s)
+ mcast_dst_ip | address | vrrp_mcast_group4 or 6 | Group that adverts go to. | man, VRRP instance(s)
+ unicast_src_ip | address | primary address | Source address of unicast adverts. | man, VRRP instance(s)
+ unicast_peer | lines | | Adverts go to these addresses instead of the multicast group. | man, VRRP instance(s)
+ unicast_ttl | int 0..255 | 255 | TTL or hop limit of unicast adverts. | man, VRRP instance(s)
+ check_unicast_src | flag | | Drop adverts whose sender is not a listed peer. | man, VRRP instance(s)
+ unicast_fault_no_peer | flag | | An empty unicast_peer is a mistake; in Nines it always is. | man, VRRP instance(s)
+ accept | flag | | Packets to the addresses are accepted (default). | RFC 9568 6.1 Accept_Mode
+ no_accept | flag | | Packets to the addresses are dropped unless priority is 255. | RFC 9568 6.1 Accept_Mode
+ strict_mode | bool | vrrp_strict | RFC 5798 to the letter. | man, VRRP instance(s); RFC 5798
+ use_vmac | words 0..6 | | Addresses live on a macvlan with the virtual MAC address, or with one of your own: [[name] NAME] [MAC]. | RFC 9568 7.3
+ vmac_xmit_base | flag | | With use_vmac: adverts leave from the base interface. | man, VRRP instance(s)
+ dont_track_primary | flag | | The instance's own interface may be down. | man, VRRP instance(s)
+ track_interface | lines | | Interfaces that must be up, or change the priority. | man, VRRP instance(s)
+ track_script | lines | | Scripts that must succeed, or change the priority. | man, VRRP instance(s)
+ track_process | lines | | Processes that must run, or change the priority. | man, VRRP instance(s)
+ track_file | lines | | Files whose number changes the priority. | man, VRRP instance(s)
+ garp_master_delay | seconds 0..3600 | vrrp_garp_master_delay | Second burst of announcements; 0 = none. | man, VRRP instance(s)
+ garp_master_repeat | int 1..255 | vrrp_garp_master_repeat | Announcements in a burst. | man, VRRP instance(s)
+ garp_master_refresh | seconds 0..86400 | vrrp_garp_master_refresh | Time between announcements while master; 0 = never. | man, VRRP instance(s)
+ garp_master_refresh_repeat | int 1..255 | vrrp_garp_master_refresh_repeat | Announcements in each refresh. | man, VRRP instance(s)
+ garp_lower_prio_delay | seconds 0..3600 | vrrp_garp_lower_prio_delay | Second burst after a weaker advert. | man, VRRP instance(s)
+ garp_lower_prio_repeat | int 0..255 | vrrp_garp_lower_prio_repeat | Announcements after a weaker advert. | man, VRRP instance(s)
+ lower_prio_no_advert | bool | vrrp_lower_prio_no_advert | A master stays silent when it hears a weaker one. | RFC 5798 6.4.3
+ higher_prio_send_advert | bool | vrrp_higher_prio_send_advert | The loser sends a last advert so that the winner announces again. | man, VRRP instance(s)
+ skip_check_adv_addr | bool | vrrp_skip_check_adv_addr | Do not compare the address list of each advert. | man, VRRP instance(s)
+ owner_ignore_adverts | bool | vrrp_owner_ignore_adverts | The owner (priority 255) ignores adverts. | RFC 9568 erratum 8298
+ v3_checksum_as_v2 | bool | v3_checksum_as_v2 | Checksum of version 3 over IPv4 without the pseudo header. | RFC 9568 5.2.8
+ promote_secondaries | flag | | Removing one address of a subnet leaves the others. | man, VRRP instance(s)
+ native_ipv6 | flag | | For old files; the addresses tell the family. | man, VRRP instance(s)
+ witness | lines | | Nines: addresses of which one must answer before this node may be master. | Nines
+ lease | bool | on | Nines: the kernel takes the addresses away when the daemon hangs; needs down_timer_adverts 2 or more. | Nines
+ restore_addresses | bool | on | Nines: put an address back at once when somebody removes it. | Nines
+ announce_after_split | seconds 0..3600 | 30 | Nines: how long the winner of a healed split goes on announcing. | Nines
+ fast_handover | bool | on | Nines: take over an eighth of the skew and up to 10 ms after the master resigns. | Nines
+ also_version_2 | flag | | Nines: beside version 3 adverts of version 2 are sent and believed, to change a group from one to the other without an outage; IPv4 only. | RFC 9568 8.4
+ track_bfd | lines | | BFD sessions that must be up, or change the priority. | man, VRRP instance(s)
+ track_src_ip | flag | | FAULT while the interface does not have mcast_src_ip or unicast_src_ip. | man, VRRP instance(s)
- vrf | word | | Routing domain of the adverts. | man, VRRP instance(s)
+ use_vmac_addr | flag | | Also addresses on other interfaces, or of the other family, live on macvlans; for a single one write use_vmac behind it. | man, VRRP instance(s)
- use_ipvlan | any | | An ipvlan instead of a macvlan. | man, VRRP instance(s)
- old_unicast_checksum | any | | Checksum of keepalived before 1.3.6; seen by itself. | man, VRRP instance(s)
+ garp_extra_if | words 1..2 | vrrp_garp_extra_if | Announces again and again for switches that forget, where addresses are on a virtual MAC or, with all, on any other interface: [all] SECONDS; 0 = off. | man, VRRP instance(s)
+ vmac_garp_intvl | words 1..2 | | Older name of garp_extra_if. | keepalived source
- lvs_sync_daemon_interface | word | | IPVS connection sync; Nines balances without IPVS. | keepalived source
- lvs_sync_daemon_inteface | word | | IPVS connection sync (keepalived's own old typing error). | keepalived source
- debug | any | | Never implemented in keepalived either. | man, VRRP instance(s)
- kernel_rx_buf_size | any | | Receive buffer of the socket. | man, VRRP instance(s)
+ linkbeat_use_polling | flag | | Ask the driver of the interface for the link each second; better: linkbeat_interfaces. | man, VRRP instance(s)
- no_virtual_ipaddress | flag | | An instance without addresses: it still needs one, e.g. 192.0.2.1/32 dev lo, which nobody has to use. | keepalived source
- timer_expired_backup | flag | | Late timers; Nines measures its lateness and steps down. | keepalived source
- thread_timer_expired | flag | | Late timers; Nines measures its lateness and steps down. | keepalived source

[vrrp_instance vrrp_sync_group]
+ notify_master | script | | Run on becoming master. | man, VRRP synchronization group(s)
+ notify_backup | script | | Run on becoming backup. | man, VRRP synchronization group(s)
+ notify_fault | script | | Run on entering FAULT. | man, VRRP synchronization group(s)
+ notify_stop | script | | Run when the daemon ends. | man, VRRP synchronization group(s)
+ notify_deleted | script? | | Run when a reload removed the instance; without it that is told as FAULT. | man, VRRP synchronization group(s)
+ notify | script | | Run on every change with: INSTANCE or GROUP, name, state, priority. | man, VRRP synchronization group(s)
+ notify_master_rx_lower_pri | script | | Run when a master hears a weaker one. | man, VRRP instance(s)
+ notify_priority_changes | bool | vrrp_notify_priority_changes | Priority changes go to the FIFOs too. | man, VRRP synchronization group(s)
+ smtp_alert | bool | smtp_alert_vrrp | Mail on every change. | man, VRRP synchronization group(s)

[vrrp_sync_group]
+ group | lines | | Names of the instances. | man, VRRP synchronization group(s)
+ track_interface | lines | | Interfaces that must be up, for all members. | man, VRRP synchronization group(s)
+ track_script | lines | | Scripts that must succeed, for all members. | man, VRRP synchronization group(s)
+ track_process | lines | | Processes that must run, for all members. | man, VRRP synchronization group(s)
+ track_file | lines | | Files whose number counts, for all members. | man, VRRP synchronization group(s)
+ sync_group_tracking_weight | flag | | Weights of tracks change the members' priorities. | man, VRRP synchronization group(s)
+ track_bfd | lines | | BFD sessions that must be up, for all members. | man, VRRP synchronization group(s)
+ global_tracking | flag | | Older name of sync_group_tracking_weight. | man, VRRP synchronization group(s)

[authentication]
+ auth_type | one-of PASS,AH | | PASS: clear-text password. AH: HMAC-MD5 in an IP authentication header. | RFC 2338 5.3.6; RFC 2402
+ auth_pass | word | | The password; its first 8 bytes count. | RFC 2338 5.3.10

[auth_hmac]
+ key | words 2..2 | | ID (1-255) and secret of 32 to 64 bytes: hex:…, file:PATH or text. A credential of systemd: file:\${_ENV CREDENTIALS_DIRECTORY}/NAME. | keepalived 2.4, auth_hmac
+ active_key | int 1..255 | | Key that adverts are signed with. | keepalived 2.4, auth_hmac
+ anti_replay | one-of time,monotonic | time | time: the sender's clock must agree; monotonic: its counter must grow. | keepalived 2.4, auth_hmac
+ time_window | seconds 1..300 | 3 adverts, at least 5 | How far the sender's clock may be off. | keepalived 2.4, auth_hmac
+ mode | one-of enforce,permissive,receive-only | enforce | permissive: unsigned adverts pass; receive-only: send none, check what comes. | keepalived 2.4, auth_hmac

[vrrp_script]
+ script | words 1..1000 | | Command and arguments, run without a shell. | man, VRRP script(s)
+ interval | seconds 0.01..86400 | 1 | Time between two runs; Nines takes fractions. | man, VRRP script(s)
+ timeout | seconds 0.01..86400 | interval | A run that takes longer has failed. | man, VRRP script(s)
+ weight | weight -253..253 | 0 | 0: failure means FAULT; else the change of the priority. | man, VRRP script(s)
+ rise | int 1..2147483647 | 1 | Successes in a row that count as success. | man, VRRP script(s)
+ fall | int 1..2147483647 | 1 | Failures in a row that count as failure. | man, VRRP script(s)
+ user | words 1..2 | script_user | User (and group) that it runs as. | man, VRRP script(s)
+ init_fail | flag | | Counts as failed until it succeeded. | man, VRRP script(s)
+ early_look | bool | on | Nines: runs also at once when a listening socket of this machine ends. | Nines

[vrrp_track_process]
+ process | words 1..1000 | | Name of the process, then parameters that must match. | man, VRRP track processes
+ param_match | one-of initial,partial,exact | | How the parameters are compared. | man, VRRP track processes
+ weight | weight -254..254 | 0 | 0: failure means FAULT; else the change of the priority. | man, VRRP track processes (which says 1); keepalived 2.2
+ quorum | int 0..65535 | 1 | Processes that have to run. | man, VRRP track processes
+ quorum_max | int 0..65535 | 65535 | Processes that may run. | man, VRRP track processes
+ fork_delay | seconds 0..3600 | 0 | Wait before a new process counts. | man, VRRP track processes
+ terminate_delay | seconds 0..3600 | 0 | Wait before an ended process counts. | man, VRRP track processes
+ delay | seconds 0..3600 | 0 | Both waits. | man, VRRP track processes
+ full_command | flag | | Compare the whole command line. | man, VRRP track processes

[track_file]
+ file | words 1..1000 | | The file, with one whole number in it. | man, Track files
+ weight | weight -2147483647..2147483647 | 1 | Factor of the number; 0: any number but 0 means FAULT. | man, Track files
+ init_file | words 0..2 | 0 | Make the file at start with this number; overwrite: even if it is there. | man, Track files

[garp_group]
+ garp_interval | seconds 0..3600 | 0 | Pause between two gratuitous ARPs. | man, VRRP gratuitous ARP
+ gna_interval | seconds 0..3600 | 0 | Pause between two neighbour advertisements. | man, VRRP gratuitous ARP
+ interface | word | | The interface this is for. | man, VRRP gratuitous ARP
+ interfaces | lines | | The interfaces that share the pauses. | man, VRRP gratuitous ARP
`;
