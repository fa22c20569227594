    // One ring is chosen freely. `next` is the number that its reader has to see next, told by a packet record or by the first number
    // of a gap record. Everything comes out one clock after it was decided.
    (* anyconst *) logic [1:0] chosen;
    wire [4*32-1:0] sequences = {sequence_3_q, sequence_2_q, sequence_1_q, sequence_0_q};
    wire [4*32-1:0] firsts = {gap_first_3_q, gap_first_2_q, gap_first_1_q, gap_first_0_q};
    wire [4*8-1:0] causes_of = {gap_causes_3_q, gap_causes_2_q, gap_causes_1_q, gap_causes_0_q};
    wire [4*11-1:0] frees = {free_3_q, free_2_q, free_1_q, free_0_q};
    wire [3:0] leaving = {line_freed_3, line_freed_2, line_freed_1, line_freed_0};
    wire [3:0] left = {freed_3_q, freed_2_q, freed_1_q, freed_0_q};
    wire [31:0] own_sequence = sequences[chosen*32 +: 32];
    wire [31:0] own_first = firsts[chosen*32 +: 32];
    wire [10:0] own_free = frees[chosen*11 +: 11];
    wire gap_open = open_q[chosen];
    wire own_job = job_valid && job__ring[chosen];
    logic [31:0] next = 0;
    wire [31:0] next_now = own_job ? job__sequence + 32'(job__packet) : next;
    logic [9:0] lines = 0; // that jobs have been promised and that have not left the ring's FIFO
    logic [8:0] room_before = 0;
    logic record_before = 0;
    logic [31:0] sequence_before = 0;
    wire [9:0] job_lines = (job__packet ? 10'(room_before) : 10'd0) + 10'(job__gap__open);
    wire [9:0] lines_now = lines + (own_job ? job_lines : 10'd0);
    logic [1:0] gaps_told = 0;
    always_ff @(posedge clock) begin
        room_before <= sized__room;
        sequence_before <= own_sequence;
        if (reset) begin
            next <= 0;
            lines <= 0;
            gaps_told <= 0;
            record_before <= 0;
        end else begin
            next <= next_now;
            lines <= lines_now - 10'(leaving[chosen]);
            record_before <= valid && sized__due__ring[chosen] && !sized__due__description__error;
            if (own_job && job__gap__open && gaps_told != 3) gaps_told <= gaps_told + 1;
        end
    end
    always_comb begin
        assume (!valid || $onehot(sized__due__ring));
        // `cut` proves it.
        assume (sized__room >= 1 && sized__room <= 257);
        assume (sized__rest == sized__room - 1 && sized__room_with_gap == sized__room + 1);
        assume (!leaving[chosen] || lines != 0); // `fifo` gives no line that was not written

        if (own_job) begin
            told__gap: assert (!job__gap__open || job__gap__first_sequence == next);
            told__packet: assert (job__gap__open || job__sequence == next);
            told__alone: assert (job__packet || job__gap__open);
            told__cause: assert (!job__gap__open || job__gap__causes != 0);
            told__ring: assert (job__ring == 1 << chosen);
        end
        // Every record that has a number either becomes a job with that number or makes the gap wider.
        if (record_before)
            told__every: assert (own_job ? job__packet && job__sequence == sequence_before : dropped);
        help__next: assert ((gap_open ? own_first : own_sequence) == next_now);
        help__cause: assert (!gap_open || causes_of[chosen*8 +: 8] != 0);
        help__waiting: assert ($onehot0(waiting_q));

        room__lines: assert (11'(lines_now) + own_free + 11'(left[chosen]) == 512);
        room__free: assert (own_free <= 512);
        room__fits: assert (lines <= 512 && lines_now <= 512);
        // A gap that is to go out alone finds its line: nothing takes it in between without closing the gap.
        room__alone: assert (!(waiting_q[chosen] && gap_open) || own_free >= 256);

        gap_and_packet: cover (own_job && job__gap__open && job__packet && gaps_told == 1 && job__sequence == 3);
        gap_alone: cover (own_job && job__gap__open && !job__packet);
    end
