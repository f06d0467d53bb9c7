/**
 * Words of lines that are no keywords of a block: options behind an address, and what the reader
 * resolves on any line. For `nines explain` and the reference; see schema.ts for the form.
 */
export const LINE_KEYWORDS: string = `
[virtual_ipaddress virtual_ipaddress_excluded static_ipaddress]
+ dev | word | interface of the instance | Interface that gets the address. | man, VRRP instance(s); ip-address(8)
+ brd | word | | Broadcast address; + makes it from the length, - writes none. | man, VRRP instance(s); ip-address(8)
+ broadcast | word | | The same as brd. | ip-address(8)
+ scope | word | global | Where the address is valid: site, link, host, global, or a number. | man, VRRP instance(s); ip-address(8)
+ label | word | | Name of the address as old tools show it, at most 15 characters. | man, VRRP instance(s); ip-address(8)
+ peer | word | | The other end of a point-to-point link; the length is then the peer's. | man, VRRP instance(s); ip-address(8)
+ home | flag | | IPv6: a home address of Mobile IPv6. | man, VRRP instance(s); RFC 6275
+ dad | flag | off | IPv6: duplicate address detection, which keeps the address silent for a second. | Nines; RFC 4862 5.4
+ nodad | flag | on | IPv6: no duplicate address detection. | ip-address(8); RFC 4862 5.4
+ -nodad | flag | off | IPv6: the same as dad, as keepalived has it. | man, VRRP instance(s)
+ mngtmpaddr | flag | | IPv6: the kernel makes temporary addresses from it. | man, VRRP instance(s); RFC 8981
+ noprefixroute | flag | | No route to the subnet of the address. | man, VRRP instance(s); ip-address(8)
+ autojoin | flag | | Joins the group at a multicast address. | man, VRRP instance(s); ip-address(8)
+ preferred_lft | word | forever; IPv6: 0 | Seconds, or forever, in which connections may begin from it; with 0 it never becomes a source address by itself. | man, VRRP instance(s); RFC 4862 5.5.4
+ no_track | flag | | Its removal by somebody else is nobody's business. | man, VRRP instance(s)

[anywhere]
+ include | word | | Reads a file, or all that match a pattern, at this place; relative to the file that names it. A missing file is a mistake, a pattern that matches nothing is none. | man, DESCRIPTION
+ includer | word | | In Nines the same as include. | man, DESCRIPTION
+ includem | word | | In Nines the same as include. | man, DESCRIPTION
+ includew | word | | As include; a pattern that matches nothing is a mistake. | man, DESCRIPTION
+ includeb | word | | As include; a pattern with braces that matches nothing is a mistake. | man, DESCRIPTION
+ includea | word | | As include; a pattern that matches nothing is a mistake. | man, DESCRIPTION
+ @ID | any | the host name's first label | The rest of the line is for the node that runs with --config-id ID; @^ID: for all others. | man, Conditional configuration and configuration id
+ $NAME= | any | | Defines a parameter; with a backslash at the end of lines, one of several lines. | man, Parameter substitution
+ $NAME | flag | | Its value, where a blank or the end of the line follows; \${NAME} anywhere. | man, Parameter substitution
+ _PWD | flag | | \${_PWD}: the directory of the file that is being read. | man, Parameter substitution
+ _INSTANCE | flag | | \${_INSTANCE}: the configuration id. | man, Parameter substitution
+ _ENV | word | | \${_ENV NAME}: a variable of the environment. | man, Parameter substitution
+ _HASH | flag | | \${_HASH}: a # that starts no comment. | man, Parameter substitution
+ _BANG | flag | | \${_BANG}: a ! that starts no comment. | man, Parameter substitution
+ _RANDOM | words 0..2 | 0 32767 | \${_RANDOM LOW HIGH}: a random number. | man, Parameter substitution
+ ~SEQ | any | step 1 | ~SEQ(NAME, START, STEP, END): the line again and again with NAME counting up or down. | man, Sequence blocks
+ ~SEQx | any | step 1 | As ~SEQ, in hexadecimal. | man, Sequence blocks
+ ~LST | any | | ~LST(NAME, A, B) or ~LST({X, Y}, {A, B}, {C, D}): the line once for each value. | man, List blocks
`;
