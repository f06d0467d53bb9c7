/** Words of `global_defs` that Nines knows but does not carry out, with the reason why not. */
export const GLOBAL_RARE_KEYWORDS: string = `
[global_defs]
- tmp_config_directory | word | | Where keepalived copies its configuration; Nines keeps it in memory. | man, Global definitions
- config_save_dir | word | | Debugging aid of keepalived's reload. | man, Global definitions
- config_copy_directory | word | | Where keepalived copies its configuration. | keepalived source
- process_names | any | | Names of keepalived's processes. | man, Global definitions
- process_name | word | | Name of keepalived's main process. | man, Global definitions
- vrrp_process_name | word | | Name of keepalived's vrrp process. | man, Global definitions
- checker_process_name | word | | Name of keepalived's checker process. | man, Global definitions
- bfd_process_name | word | | Name of keepalived's BFD process. | man, Global definitions
- lvs_id | word | | Very old name of router_id. | keepalived 1.0
- lvs_sync_daemon | any | | IPVS connection sync; Nines balances without IPVS. | man, Global definitions
- lvs_timeouts | any | | IPVS connection timeouts; Nines balances without IPVS. | man, Global definitions
- lvs_flush | flag | | Empty the IPVS table at start; Nines balances without IPVS. | man, Global definitions
- lvs_flush_onstop | any | | Empty the IPVS table at the end. | keepalived source
- lvs_flush_on_stop | any | | Empty the IPVS table at the end. | man, Global definitions
- nftables | any | | Name of keepalived's nftables table; Nines has its own. | man, Global definitions
- nftables_priority | any | | Priority of keepalived's nftables chains. | man, Global definitions
- nftables_counters | flag | | Counters in keepalived's nftables rules. | man, Global definitions
- nftables_ifindex | any | | Interface numbers in keepalived's nftables sets. | man, Global definitions
- nftables_ipvs | any | | Marks for virtual server groups. | man, Global definitions
- nftables_ipvs_priority | any | | Priority of the chain that sets marks. | man, Global definitions
- nftables_ipvs_start_fwmark | any | | First mark for virtual server groups. | man, Global definitions
- vrrp_nftables | any | | Older name of nftables. | man, Global definitions
- vrrp_iptables | any | | iptables chains of keepalived; Nines uses nftables. | man, Global definitions
- vrrp_ipsets | any | | ipsets of keepalived; Nines uses nftables. | man, Global definitions
- disable_local_igmp | flag | | Switches IGMP reports for 224.0.0.0/24 off in the kernel. | man, Global definitions
- max_auto_priority | any | | Automatic real-time priority; Nines is real-time from the start. | man, Global definitions
- min_auto_priority_delay | any | | Delay that raises the automatic priority. | man, Global definitions
- bfd_priority | any | | Nice value of the BFD process. | man, Global definitions
- vrrp_no_swap | flag | | Lock the vrrp process in memory; a JavaScript engine cannot be locked. | man, Global definitions
- checker_no_swap | flag | | Lock the check process in memory. | man, Global definitions
- bfd_no_swap | flag | | Lock the BFD process in memory. | man, Global definitions
- bfd_cpu_affinity | any | | CPUs of the BFD process. | man, Global definitions
- bfd_rt_priority | any | | Real-time priority of the BFD process. | man, Global definitions
- bfd_rlimit_rttime | any | | CPU burst of the BFD process. | man, Global definitions
- enable_snmp_vrrp | flag | | SNMP; Nines has Prometheus metrics and JSON. | man, Global definitions
- enable_snmp_checker | flag | | SNMP; Nines has Prometheus metrics and JSON. | man, Global definitions
- enable_snmp_keepalived | flag | | SNMP; older name of enable_snmp_vrrp. | keepalived source
- enable_snmp_rfc | flag | | SNMP; Nines has Prometheus metrics and JSON. | man, Global definitions
- enable_snmp_rfcv2 | flag | | SNMP; Nines has Prometheus metrics and JSON. | man, Global definitions
- enable_snmp_rfcv3 | flag | | SNMP; Nines has Prometheus metrics and JSON. | man, Global definitions
- enable_traps | flag | | SNMP traps; use notify, mail or nines events. | man, Global definitions
- snmp_socket | word | | SNMP agent to connect to. | man, Global definitions
- snmp_vs_stats_update_interval | any | | SNMP statistics. | keepalived source
- snmp_rs_stats_update_interval | any | | SNMP statistics. | keepalived source
- enable_dbus | flag | | D-Bus; Nines has a control socket. | man, Global definitions
- dbus_no_interface_name | flag | | D-Bus paths. | keepalived source
- dbus_service_name | word | | D-Bus name. | man, Global definitions
- vrrp_netlink_cmd_rcv_bufs | any | | Netlink buffer sizes; Nines re-reads the kernel after an overrun. | man, Global definitions
- vrrp_netlink_cmd_rcv_bufs_force | any | | Netlink buffer sizes. | man, Global definitions
- vrrp_netlink_monitor_rcv_bufs | any | | Netlink buffer sizes. | man, Global definitions
- vrrp_netlink_monitor_rcv_bufs_force | any | | Netlink buffer sizes. | man, Global definitions
- lvs_netlink_cmd_rcv_bufs | any | | Netlink buffer sizes. | man, Global definitions
- lvs_netlink_cmd_rcv_bufs_force | any | | Netlink buffer sizes. | man, Global definitions
- lvs_netlink_monitor_rcv_bufs | any | | Netlink buffer sizes. | man, Global definitions
- lvs_netlink_monitor_rcv_bufs_force | any | | Netlink buffer sizes. | man, Global definitions
- process_monitor_rcv_bufs | any | | Buffer of the process connector. | man, Global definitions
- process_monitor_rcv_bufs_force | any | | Buffer of the process connector. | man, Global definitions
- vrrp_rx_bufs_policy | any | | Receive buffers of the advert sockets. | man, Global definitions
- vrrp_rx_bufs_multiplier | any | | Receive buffers of the advert sockets. | man, Global definitions
+ rs_init_notifies | flag | | notify_up and the FIFOs tell of servers that count as up from the start, too. | man, Global definitions
- umask | any | | Mode of new files; Nines makes them 0600. | man, Global definitions
- log_unknown_vrids | flag | | Log adverts of VRIDs not configured; Nines counts them and tells of each VRID once a day. | man, Global definitions
- random_seed | any | | Seed of \${_RANDOM}. | man, Global definitions
- include_check | any | | Which missing includes are mistakes; in Nines a missing file always is. | man, Global definitions
- reload_time_file | word | | A reload at a given time; use a timer. | man, Global definitions
- reload_repeat | flag | | Repeats a timed reload. | man, Global definitions
- reload_file | any | | Tells that a reload goes on. | man, Global definitions
- data_use_instance | any | | Names of keepalived's dump files; use nines status. | man, Global definitions
- use_symlink_paths | any | | How symbolic links to scripts are followed. | keepalived source
- state_dump_file | word | | Dump file; use nines status. | keepalived source
- stats_dump_file | word | | Dump file; use nines metrics. | keepalived source
- json_dump_file | word | | Dump file; use nines status --json. | keepalived source
- json_version | any | | Format of keepalived's JSON dump; use nines status --json. | keepalived source
- iproute_usr_dir | word | | Where names of routing tables are read. | keepalived source
- iproute_etc_dir | word | | Where names of routing tables are read. | keepalived source
- set_supplementary_groups | flag | | Supplementary groups of scripts; Nines drops them. | keepalived source
- use_pid_dir | flag | | Where keepalived puts pid files. | keepalived source
+ linkbeat_use_polling | flag | | Ask the drivers of all interfaces of adverts and tracks for the link each second. | keepalived source
- nftables_no_counters | flag | | Counters in keepalived's nftables rules. | keepalived source
- vrrp_sock_buf | any | | Buffers of the advert sockets. | keepalived source

[bfd_instance]
+ neighbor_ip | word | | The other end of the session. | man, BFD CONFIGURATION
+ neighbour_ip | word | | The same as neighbor_ip. | man, BFD CONFIGURATION
+ source_ip | word | | Our end of the session. | man, BFD CONFIGURATION
+ min_rx | word | 10 | Shortest interval at which packets can be received, in milliseconds. | man, BFD CONFIGURATION; RFC 5880
+ min_tx | word | 10 | Interval of packets sent while the session is up, in milliseconds; the slower of it and the min_rx of the neighbour counts. | man, BFD CONFIGURATION; RFC 5880
+ idle_tx | word | 1000 | Interval of packets sent while it is not up, in milliseconds. | man, BFD CONFIGURATION; RFC 5880
+ multiplier | int 1..255 | 5 | Missed packets that mean down. | man, BFD CONFIGURATION; RFC 5880
+ passive | flag | | Wait for the neighbour to begin. | man, BFD CONFIGURATION; RFC 5880
+ ttl | int 1..255 | 255 | TTL of what is sent, IPv4. | man, BFD CONFIGURATION
+ hoplimit | int 1..255 | 255 | Hop limit of what is sent, IPv6; RFC 5881 wants 255. | man, BFD CONFIGURATION
+ max_hops | int -1..255 | 0 | Routers that a packet may have crossed; -1 or 255 = any number. | man, BFD CONFIGURATION
- multihop | any | | Neighbour is not on the link. | keepalived source
+ weight | weight -253..253 | 0 | Change of the priority; 0 = FAULT while the session is down. | man, BFD CONFIGURATION
+ vrrp | flag | | For old files: a session tells whoever tracks it. | man, BFD CONFIGURATION
- checker | flag | | Tell the checker process only; Nines has no BFD_CHECK. | man, BFD CONFIGURATION

[track_group]
+ group | lines | | Names of the instances. | man, Static track groups
`;
