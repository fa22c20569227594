    // What is there when the keys of a frame enter, and what the tables are told two clocks later.
    logic entered_1 = 0, entered_2 = 0, committed_1, committed_2;
    logic [43:0] tick_1, tick_2;
    wire [43:0] stamp = entering_ticket[Ticket__stamp__lsb + 20 +: 44];
    wire go = armed && engine_ready;
    logic go_1 = 0, go_2 = 0;
    logic [9:0] counted = 0; // frame that entered so many clocks ago: armed then, and for two clocks before
    logic committed_before = 0, arrived = 0;
    always_ff @(posedge clock) begin
        {entered_2, entered_1} <= {entered_1, entering};
        {committed_2, committed_1} <= {committed_1, engine_committed};
        tick_1 <= stamp < expiry_floor ? expiry_floor : stamp;
        tick_2 <= tick_1;
        {go_2, go_1} <= {go_1, go};
        arrived <= valid;
        counted <= {counted[8:0], entering && go && go_1 && go_2};
        if (entering) committed_before <= engine_committed;
    end
    always_comb begin
        // A reset may stop a frame on its way; nobody looks at what it left behind.
        if (stages_q[1]) help__fetched: assert (entered_1 && fetched_committed_q == committed_1 && fetched_tick_q == tick_1);
        if (stages_q[2]) begin
            carried__batch: assert (entered_2 && compared_committed_q == committed_2);
            carried__tick: assert (compared_tick_q == tick_2);
        end
        help__armed: assert ((!armed_1_q || go_1) && (!armed_2_q || (go_1 && go_2)));
        help__counted: assert ((armed_stages_q & ~counted[8:0]) == 0);
        armed__hit: assert (!hit || counted[9]);
        armed__told: assert (!entering_armed || (go && go_1 && go_2));
        carried__arrived: assert (!entering || arrived);
        armed__ready: assert (!exact_valid || engine_ready);

        armed_hit: cover (hit && done && verdict != 0);
        flipped: cover (entering && engine_committed && !committed_before && counted[1]);
    end
