    // One octet of the line is chosen freely and stands for all of them.
    (* anyconst *) logic [5:0] octet;
    logic pays_1 = 0, pays_2 = 0, pays_3 = 0, pays_4 = 0;
    logic last_1, port_1;
    logic [5:0] tail_1;
    logic [3:0] ring_1, ring_2, ring_3, ring_4;
    logic [7:0] wanted_2, wanted_3, wanted_4;
    logic behind_2, behind_3, behind_4;
    wire [511:0] source = port_1 ? line_b : line_a;
    // A whole last line has 64 octets: its tail is written as 0.
    wire behind = last_1 && tail_1 != 0 && octet >= tail_1;
    always_ff @(posedge clock) begin
        {pays_4, pays_3, pays_2, pays_1} <= reset ? 4'h0 : {pays_3, pays_2, pays_1, slot == Slot__Payload};
        {ring_4, ring_3, ring_2, ring_1} <= {ring_3, ring_2, ring_1, ring};
        last_1 <= last;
        port_1 <= port;
        tail_1 <= captured[5:0];
        wanted_2 <= behind ? 8'h00 : source[octet*8 +: 8];
        behind_2 <= behind;
        {wanted_4, wanted_3} <= {wanted_3, wanted_2};
        {behind_4, behind_3} <= {behind_3, behind_2};
    end
    always_comb begin
        if (pays_4) begin
            cut__octet: assert (line[octet*8 +: 8] == wanted_4);
            if (behind_4) cut__behind: assert (line[octet*8 +: 8] == 0);
            cut__ring: assert (write_rest == ring_4 && write_header == 0);
        end

        first_octet_only: cover (pays_4 && behind_4 && octet == 1 && line[7:0] == 8'h5a && write_rest != 0);
        whole_line: cover (pays_4 && !behind_4 && octet == 63 && line[511:504] == 8'h5a && write_rest != 0);
    end
