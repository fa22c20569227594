    // Follows one record after the other: what was taken, and which of its slots have been given to the framer.
    logic [$bits(job)-1:0] taken;
    logic busy = 0, gap_given, second_given;
    logic [7:0] given;
    wire [15:0] taken_captured = taken[Job__captured__lsb +: 16];
    wire [7:0] wanted = taken_captured[15:6] + (taken_captured[5:0] != 0);
    wire taken_gap = taken[Job__gap__lsb + Gap__open__lsb];
    wire taken_packet = taken[Job__packet__lsb];
    wire taken_second = taken[Job__hit_count__lsb +: 5] > 8;
    wire [15:0] job_wanted = job__captured[15:6] + (job__captured[5:0] != 0);
    wire gives_gap = slot == Slot__Gap, gives_second = slot == Slot__Second;
    wire gives_payload = slot == Slot__Payload, gives_header = slot == Slot__Header;
    wire ends = busy && (gives_header || (gives_gap && !taken_packet));
    always_ff @(posedge clock) begin
        if (reset) busy <= 0;
        else if (job_take) busy <= 1;
        else if (ends) busy <= 0;
        if (job_take) begin
            taken <= job;
            {gap_given, second_given, given} <= 0;
        end else begin
            if (gives_gap) gap_given <= 1;
            if (gives_second) second_given <= 1;
            if (gives_payload) given <= given + 1;
        end
    end
    always_comb begin
        // `cut` and `sequence` prove it of the jobs.
        assume (!job_valid || (job__lines == job_wanted && job_wanted < 256 && (job__packet || job__gap__open)));

        help__state: assert (busy == (state_q != CopyState__Idle));
        if (busy) begin
            help__work: assert (work_q == taken);
            help__left: assert (!taken_packet || lines_left_q + given == wanted);
            if (state_q == CopyState__Gap) help__gap: assert (taken_gap && !gap_given && !second_given && given == 0);
            if (state_q == CopyState__Second)
                help__second: assert (taken_packet && taken_second && gap_given == taken_gap && !second_given && given == 0);
            if (state_q == CopyState__Payload)
                help__payload: assert (taken_packet && gap_given == taken_gap && second_given == taken_second && given < wanted);
            if (state_q == CopyState__Header)
                help__header: assert (taken_packet && gap_given == taken_gap && second_given == taken_second && given == wanted);
        end

        lines__none_behind: assert (!gives_payload || (busy && taken_packet && given < wanted));
        lines__all: assert (!gives_header || given == wanted);
        if (gives_payload) begin
            lines__last: assert (framer_last == (given + 1 == wanted));
            lines__one_store: assert (read_a != read_b && read_b == taken[Job__ticket__lsb + Ticket__port__lsb]);
        end
        if (!gives_payload) lines__unread: assert (!read_a && !read_b);

        gap__first: assert (!(gives_header || gives_payload || gives_second) || gap_given == taken_gap);
        gap__once: assert (!gives_gap || (busy && taken_gap && !gap_given));
        gap__taken_over: assert (!job_take || !busy || ends);
        if (gives_gap)
            gap__numbers: assert (framer_built[GapLine__kind__lsb +: 8] == 2
                && framer_built[GapLine__first_sequence__lsb +: 32] == taken[Job__gap__lsb + Gap__first_sequence__lsb +: 32]
                && framer_built[GapLine__last_sequence__lsb +: 32] == taken[Job__sequence__lsb +: 32] - 32'd1);
        if (gives_header)
            gap__number: assert (framer_built[PacketLine__kind__lsb +: 8] == 1
                && framer_built[PacketLine__record_sequence__lsb +: 32] == taken[Job__sequence__lsb +: 32]
                && framer_built[PacketLine__captured_bytes__lsb +: 16] == taken_captured);

        whole_record: cover (gives_header && given == 2 && gap_given && second_given && taken_captured == 100);
        gap_alone: cover (gives_gap && !taken_packet && job_take);
        empty: cover (gives_header && given == 0 && !gap_given && job_take);
    end
