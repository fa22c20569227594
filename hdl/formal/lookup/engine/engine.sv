    logic committed_before = 0, committed_long = 0, entering_before = 0, arriving_before = 0, reset_before = 1;
    always_ff @(posedge clock) begin
        committed_before <= committed;
        committed_long <= committed_before;
        entering_before <= entering;
        arriving_before <= arriving;
        reset_before <= reset;
    end
    always_comb begin
        assume (!entering || arriving_before); // `path` proves it

        between__access: assert (!entering || (!access__read && !access__write && !access__back));
        between__erase: assert (!access__erase || !ready);
        between__one: assert (!access__back || (!access__write && !access__erase));
        // A batch becomes visible in a clock in which no keys enter, from one clock to the next.
        flip__between: assert (reset_before || !committed || committed_before || !entering);

        written: cover (access__write && access__write_key && entering_before);
        flipped: cover (committed_before && !committed_long && entering);
    end
