/** Keywords of load balancing: virtual servers, real servers, checks. See schema.ts. */
export const LVS_KEYWORDS: string = `
[SSL]
~ password | word | | Password of the key. | man, SSL
~ ca | word | | File with trusted certificates. | man, SSL
~ certificate | word | | Certificate file. | man, SSL
~ key | word | | Key file. | man, SSL

[virtual_server]
~ lvs_sched | one-of rr,wrr,lc,wlc,lblc,lblcr,sh,mh,dh,fo,ovf,sed,nq,twos | wlc | How a server is chosen. | man, Virtual server(s); ipvsadm(8)
~ lb_algo | one-of rr,wrr,lc,wlc,lblc,lblcr,sh,mh,dh,fo,ovf,sed,nq,twos | wlc | Older name of lvs_sched. | man, Virtual server(s)
~ lvs_method | words 1..6 | NAT | How packets reach a server: NAT, DR or TUN. | man, Virtual server(s)
~ lb_kind | words 1..6 | NAT | Older name of lvs_method. | man, Virtual server(s)
~ flag-1 | flag | | Flag of the scheduler. | ipvsadm(8)
~ flag-2 | flag | | Flag of the scheduler. | ipvsadm(8)
~ flag-3 | flag | | Flag of the scheduler. | ipvsadm(8)
~ sh-port | flag | | Scheduler sh: the port counts too, so that each connection goes its own way. | ipvsadm(8)
~ sh-fallback | flag | | Scheduler sh: another server when the first is down; Nines always does. | ipvsadm(8)
~ mh-port | flag | | Scheduler mh: the port counts too, so that each connection goes its own way. | ipvsadm(8)
~ mh-fallback | flag | | Scheduler mh: another server when the first is down; Nines always does. | ipvsadm(8)
~ ops | flag | | UDP: choose for each packet. | ipvsadm(8)
~ persistence_engine | word | | Only sip is known. | ipvsadm(8)
~ persistence_timeout | int? 1..2678400 | 360 | A client stays with its server for so many seconds. | ipvsadm(8)
~ persistence_granularity | word | 255.255.255.255 | Netmask that groups clients. | ipvsadm(8)
~ protocol | one-of TCP,UDP,SCTP,tcp,udp,sctp | UDP | Protocol of the service. | man, Virtual server(s)
~ ha_suspend | flag | | No checks while the address is elsewhere: servers stay what they were, and are asked at once when it comes. | man, Virtual server(s)
~ omega | flag | | Run the down notifications when the daemon ends. | man, Virtual server(s)
~ quorum | int 1..2147483647 | 1 | Weight that must be alive. | man, Virtual server(s)
~ hysteresis | int 0..2147483647 | 0 | Margin against flapping of the quorum. | man, Virtual server(s)
~ quorum_up | script | | Run when the quorum is reached. | man, Virtual server(s)
~ quorum_down | script | | Run when the quorum is lost. | man, Virtual server(s)
~ ip_family | one-of inet,inet6 | inet | Family of a fwmark service. | man, Virtual server(s)
~ sorry_server | words 1..2 | | Server that answers when the quorum is lost. | man, Virtual server(s)
~ sorry_server_inhibit | flag | | inhibit_on_failure for the sorry server. | man, Virtual server(s)
~ sorry_server_lvs_method | words 1..6 | lvs_method | How packets reach the sorry server. | man, Virtual server(s)
~ weight | int 0..65535 | 1 | Default weight of real servers. | keepalived source
~ uthreshold | int 0..65535 | 0 | Default of real servers. | keepalived source
~ lthreshold | int 0..65535 | 0 | Default of real servers. | keepalived source
~ real_server | block real_server ARGS | | One server: IP and PORT. | man, Virtual server(s)
- service_type | any | | Very old name of protocol. | keepalived source
- nat_mask | any | | Very old; without effect. | keepalived source

[virtual_server real_server]
~ smtp_alert | bool | smtp_alert_checker | Mail when the quorum is gained or lost; of a real server, where nobody says otherwise: yes, when it goes down or comes back. | man, Virtual server(s)
~ virtualhost | word | | Host name in HTTP checks. | man, Virtual server(s)
~ connect_timeout | seconds 0.001..3600 | 5 | Time to connect. | man, Virtual server(s)
~ retry | int 0..4294967295 | 1 | Further tries before a server is down. | man, Virtual server(s)
~ delay_before_retry | seconds 0..3600 | 1 | Pause before another try. | man, Virtual server(s)
~ warmup | seconds 0..86400 | delay_loop | First check after a random part of this. | man, Virtual server(s)
~ delay_loop | seconds 0.001..86400 | 60 | Time between two checks. | man, Virtual server(s)
~ alpha | bool | off | Down until the first check succeeds. | man, Virtual server(s)
~ inhibit_on_failure | bool | off | Weight 0 instead of removal. | man, Virtual server(s)
~ log_all_failures | bool | checker_log_all_failures | Tell every failure while the server is up. | keepalived source
- snmp_name | word | | Name in SNMP data. | man, Virtual server(s)

[real_server]
~ weight | int 0..65535 | 1 | Share of the work. | man, Virtual server(s)
~ lvs_method | words 1..6 | lvs_method of the virtual server | How packets reach the server. | man, Virtual server(s)
~ lb_kind | words 1..6 | lvs_method of the virtual server | Older name of lvs_method. | man, Virtual server(s)
~ notify_up | script | | Run when the server comes up. | man, Virtual server(s)
~ notify_down | script | | Run when the server goes down. | man, Virtual server(s)
~ uthreshold | int 0..65535 | 0 | Most connections; 0 = no limit. | man, Virtual server(s)
~ lthreshold | int 0..65535 | 0 | Connections below which it is used again. | man, Virtual server(s)
~ TCP_CHECK | block TCP_CHECK | | Can a TCP connection be made? | man, Virtual server(s)
~ HTTP_GET | block HTTP_GET | | Does a page answer as expected? | man, Virtual server(s)
~ SSL_GET | block HTTP_GET | | HTTP_GET over TLS. | man, Virtual server(s)
~ MISC_CHECK | block MISC_CHECK | | Does a command exit with 0? | man, Virtual server(s)
~ SMTP_CHECK | block SMTP_CHECK | | Does a mail server greet? | man, Virtual server(s)
~ DNS_CHECK | block DNS_CHECK | | Does a name server answer? | man, Virtual server(s)
~ UDP_CHECK | block UDP_CHECK | | Does a UDP port not refuse, or answer? | man, Virtual server(s)
~ PING_CHECK | block PING_CHECK | | Does the host answer to ping? | man, Virtual server(s)
~ FILE_CHECK | block FILE_CHECK | | A number in a file changes the weight. | man, Virtual server(s)
- BFD_CHECK | block BFD_CHECK | | Is a BFD session up? | man, Virtual server(s)

[TCP_CHECK HTTP_GET SMTP_CHECK DNS_CHECK UDP_CHECK PING_CHECK host]
~ connect_ip | address | the real server's | Address that is checked. | man, Virtual server(s)
~ connect_port | int 1..65535 | the real server's | Port that is checked. | man, Virtual server(s)
~ bindto | address | | Source address. | man, Virtual server(s)
~ bind_if | word | | Source interface. | man, Virtual server(s)
~ bind_port | int 1..65535 | | Source port. | man, Virtual server(s)
~ fwmark | int 0..4294967295 | | Mark on the packets of the check. | man, Virtual server(s)
~ connect_timeout | seconds 0.001..3600 | the real server's | Time to connect. | man, Virtual server(s)

[TCP_CHECK HTTP_GET SMTP_CHECK DNS_CHECK UDP_CHECK PING_CHECK MISC_CHECK]
~ alpha | bool | the real server's | Down until the first check succeeds. | man, Virtual server(s)
~ retry | int 0..4294967295 | the real server's | Further tries before a server is down. | man, Virtual server(s)
~ nb_get_retry | int 0..4294967295 | the real server's | Older name of retry. | keepalived source
~ delay_before_retry | seconds 0..3600 | the real server's | Pause before another try. | man, Virtual server(s)
~ warmup | seconds 0..86400 | the real server's | First check after a random part of this. | man, Virtual server(s)
~ delay_loop | seconds 0.001..86400 | the real server's | Time between two checks. | man, Virtual server(s)
~ log_all_failures | bool | the real server's | Tell every failure while the server is up. | man, Virtual server(s)

[HTTP_GET]
~ http_protocol | one-of 1.0,1.0C,1.1 | 1.0 | HTTP version of the request. | man, Virtual server(s)
~ fast_recovery | bool | off | No pause between several URLs. | man, Virtual server(s)
~ virtualhost | word | the real server's | Host name of the request. | man, Virtual server(s)
~ enable_sni | bool | off | Send the server name in the TLS handshake. | RFC 6066 3
~ sni_name | word | virtualhost | The server name that is sent. | RFC 6066 3
~ tls_compliant | bool | off | The server must end TLS properly. | keepalived source
~ url | block url | | One page; several may be given. | man, Virtual server(s)

[url]
~ path | words 1..1000 | / | Path of the page. | man, Virtual server(s)
~ digest | word | | MD5 that the page must have. | man, Virtual server(s)
~ status_code | words 1..1000 | 200-299 | Codes that are good: 200-299 503. | man, Virtual server(s)
~ virtualhost | word | the check's | Host name of the request. | man, Virtual server(s)
~ regex | words 1..1000 | | Text that must be found. | man, Virtual server(s)
~ regex_no_match | flag | | Text that must not be found. | man, Virtual server(s)
~ regex_options | words 1..1000 | | Options of the expression, as PCRE2 names them. | pcre2api(3)
~ regex_min_offset | int 0..2147483647 | 0 | Search from this byte on. | man, Virtual server(s)
~ regex_max_offset | int 0..2147483647 | | Search up to this byte. | man, Virtual server(s)
~ tls_compliant | bool | off | The server must end TLS properly. | keepalived source
- regex_stack | any | | Stack of PCRE2; not needed. | man, Virtual server(s)

[SMTP_CHECK]
~ helo_name | word | | Name in HELO. | RFC 5321 4.1.1.1
~ host | block host | | Another address to check. | keepalived samples

[DNS_CHECK]
~ type | one-of A,NS,CNAME,SOA,MX,TXT,AAAA,a,ns,cname,soa,mx,txt,aaaa | SOA | Type of the question. | man, Virtual server(s)
~ name | word | . | Name in the question. | man, Virtual server(s)

[MISC_CHECK]
~ misc_path | words 1..1000 | | Command and arguments, run without a shell. | man, Virtual server(s)
~ misc_timeout | seconds 0.01..86400 | delay_loop | Time it may take. | man, Virtual server(s)
~ misc_dynamic | flag | | The exit code changes the weight. | man, Virtual server(s)
~ user | words 1..2 | script_user | User (and group) that it runs as. | man, Virtual server(s)

[UDP_CHECK]
~ payload | words 1..1000 | random | Bytes to send, hexadecimal. | man, Virtual server(s)
~ require_reply | words 0..1000 | | An answer must come, and may have to match these bytes. | man, Virtual server(s)
~ min_reply_length | int 0..65535 | 0 | Shortest answer. | man, Virtual server(s)
~ max_reply_length | int 0..65535 | 255 | Longest answer. | man, Virtual server(s)

[FILE_CHECK]
~ track_file | word | | Name of a track_file block. | man, Virtual server(s)
~ weight | weight -2147483647..2147483647 | 1 | Factor of the number. | man, Virtual server(s)
~ dynamic | flag | | The number is added to the weight. | man, Virtual server(s)

[BFD_CHECK]
- name | word | | Name of a bfd_instance. | man, Virtual server(s)
`;
