    // One ring is chosen freely. `next` is the number that its reader has to see next, told by a packet record or by the first number
    // of a gap record.
    (* anyconst *) logic [1:0] chosen;
    wire [4*32-1:0] sequences = {sequence_3_q, sequence_2_q, sequence_1_q, sequence_0_q};
    localparam GAP = $bits(gap_0_q);
    wire [4*GAP-1:0] gaps = {gap_3_q, gap_2_q, gap_1_q, gap_0_q};
    wire [4*10-1:0] reserves = {reserved_3_q, reserved_2_q, reserved_1_q, reserved_0_q};
    wire [3:0] frees = {line_freed_3, line_freed_2, line_freed_1, line_freed_0};
    wire [31:0] own_sequence = sequences[chosen*32 +: 32];
    wire [GAP-1:0] own_gap = gaps[chosen*GAP +: GAP];
    wire [9:0] own_reserve = reserves[chosen*10 +: 10];
    wire gap_open = own_gap[Gap__open__lsb];
    wire own_job = job_valid && job__ring[chosen];
    wire own_record = valid && sized__due__ring[chosen];
    wire flagged_record = sized__due__description__error;
    logic [31:0] next = 0;
    logic [9:0] lines = 0; // that jobs have been promised and that have not left the ring's FIFO
    wire [9:0] job_lines = (job__packet ? 10'(sized__room) : 10'd0) + 10'(job__gap__open);
    logic [1:0] gaps_told = 0;
    always_ff @(posedge clock)
        if (reset) begin
            next <= 0;
            lines <= 0;
            gaps_told <= 0;
        end else begin
            if (own_job) next <= job__sequence + 32'(job__packet);
            lines <= lines + (own_job ? job_lines : 10'd0) - 10'(frees[chosen]);
            if (own_job && job__gap__open && gaps_told != 3) gaps_told <= gaps_told + 1;
        end
    always_comb begin
        assume (!valid || $onehot(sized__due__ring));
        assume (sized__room <= 257); // `cut` proves it
        assume (!frees[chosen] || lines != 0); // `fifo` gives no line that was not written

        if (own_job) begin
            told__gap: assert (!job__gap__open || job__gap__first_sequence == next);
            told__packet: assert (job__gap__open || job__sequence == next);
            told__alone: assert (job__packet || job__gap__open);
            told__cause: assert (!job__gap__open || job__gap__causes != 0);
            told__ring: assert (job__ring == 1 << chosen);
        end
        // Every record that has a number either becomes a job with that number or makes the gap wider.
        if (own_record && !flagged_record)
            told__every: assert (own_job ? job__packet && job__sequence == own_sequence : dropped);
        help__next: assert (gap_open ? own_gap[Gap__first_sequence__lsb +: 32] == next : own_sequence == next);
        help__cause: assert (!gap_open || own_gap[Gap__causes__lsb +: 8] != 0);

        room__lines: assert (lines == own_reserve);
        room__fits: assert (lines <= 512);
        room__before: assert (!own_job || lines + job_lines <= 512);

        gap_and_packet: cover (own_job && job__gap__open && job__packet && gaps_told == 1 && job__sequence == 3);
        gap_alone: cover (own_job && job__gap__open && !job__packet);
    end
