    // Each word carries its number: the FIFO does not look at what it carries, so what holds for numbers holds for all words. It has
    // at most six words inside, so a number of three bits tells them apart. Either clock may rise at any moment, or never.
    logic [2:0] taken = 0, given = 0;
    logic [3:0] passed = 0; // words that have left, up to 15
    always_ff @(posedge write_clock) if (write && !full) taken <= taken + 1;
    always_ff @(posedge read_clock)
        if (read && valid) begin
            given <= given + 1;
            if (passed != 15) passed <= passed + 1;
        end
    wire [2:0] stored = taken - given;
    always_comb begin
        assume (!write_reset && !read_reset);
        assume (data_in[2:0] == taken);
        if (valid) order__same: assert (data_out[2:0] == given);
        conservation__inside: assert (stored <= 5 && (stored != 0 || !valid));
        conservation__count: assert (count <= stored);
        conservation__space: assert (space + stored <= 5);
        conservation__open: assert (open);

        filled: cover (full && valid && stored >= 4);
        drained: cover (passed == 7 && stored == 0);
    end
