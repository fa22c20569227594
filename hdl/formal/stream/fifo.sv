    // A word is chosen freely at some moment, and one bit of it; they stand for every bit of every word.
    (* anyconst *) logic [5:0] chosen_bit;
    (* anyseq *) logic choose;
    wire goes_in = write && !full;
    wire goes_out = read && valid;
    logic watching = 0;
    logic expected = 0;
    logic [3:0] ahead = 0;  // words in front of the chosen one
    logic [3:0] stored = 0;
    logic [3:0] passed = 0; // words that have left, up to 15
    always_ff @(posedge clock) begin
        if (reset) begin
            watching <= 0;
            stored <= 0;
            passed <= 0;
        end else begin
            stored <= stored + goes_in - goes_out;
            if (goes_out && passed != 15) passed <= passed + 1;
            if (!watching && goes_in && choose) begin
                watching <= 1;
                expected <= data_in[chosen_bit];
                ahead <= stored - goes_out;
            end else if (watching && goes_out) begin
                ahead <= ahead - 1;
                watching <= ahead != 0;
            end
        end
    end
    always_comb begin
        if (watching && valid && ahead == 0) order__same: assert (data_out[chosen_bit] == expected);
        if (watching) order__inside: assert (ahead < count);
        if (stored == 0) order__nothing_of_its_own: assert (!valid);

        conservation__count: assert (count == stored);
        conservation__space: assert (count + space == 8);
        conservation__full: assert (full == (count == 8));

        // What holds the two together from one clock to the next.
        help__flags: assert (filled_q == (occupied_q == 8) && some_q == (occupied_q != 0) && one_q == (occupied_q == 1));
        help__free: assert (free_q + occupied_q == 8);
        help__behind: assert (behind_q == 3'(read_pointer_q + 1));
        help__shown: assert (!shown_q || occupied_q != 0);
        help__pointers: assert (3'(write_pointer_q - read_pointer_q) == occupied_q[2:0] && occupied_q <= 8);
        if (shown_q) help__output: assert (memory_read_data == memory_words[read_pointer_q]);
        if (watching) help__watched: assert (memory_words[3'(read_pointer_q + ahead)][chosen_bit] == expected);

        full_and_moving: cover (full && valid && read && write && data_out != 0);
        drained: cover (passed == 10 && count == 0 && data_out != 0);
    end
