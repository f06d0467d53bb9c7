/** A virtual server with two real servers, and an address for mail about them. */
export function mailedVirtualServer(globals: string, ofVirtual: string, ofReal: string): string {
  return `global_defs {
  notification_email {
    ops@example.org
  }
  smtp_server 192.0.2.9
  ${globals}
}
virtual_server 192.0.2.1 80 {
  protocol TCP
  ${ofVirtual}
  real_server 10.0.0.1 80 {
    ${ofReal}
  }
  real_server 10.0.0.2 80 {
  }
}
`;
}
