    logic committed_before = 0, entering_before = 0, reset_before = 1;
    always_ff @(posedge clock) begin
        committed_before <= committed;
        entering_before <= entering;
        reset_before <= reset;
    end
    always_comb begin
        between__access: assert (!entering || (!access__read && !access__write && !access__back));
        between__erase: assert (!access__erase || !ready);
        between__one: assert (!access__back || (!access__write && !access__erase));
        // A batch becomes visible in a clock in which no keys enter, from one clock to the next.
        flip__between: assert (reset_before || !committed || committed_before || !entering_before);

        written: cover (access__write && access__write_key && entering_before);
        flipped: cover (committed && !committed_before && entering);
    end
