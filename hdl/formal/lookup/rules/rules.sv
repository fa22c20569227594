    // The cells may offer anything; the comparators do what `way_rule` proves of them. Here: what is found is a candidate that agrees in
    // full with the rule that stands at its number.
    localparam HIT = RowData__ring__lsb;
    localparam HIT_BITS = RowData__ring__bits + RowData__scope__bits + RowData__match_index__bits;
    function automatic logic full_compare(input logic [623:0] rule, input logic [71:0] data, input logic [303:0] tuple,
        input logic [43:0] now, input logic batch);
        logic [7:0] sum;
        logic [3:0] row_sum;
        sum = 0;
        row_sum = 0;
        for (int i = 0; i < 624; i++) sum[i % 8] = sum[i % 8] ^ rule[i];
        for (int i = 0; i < 72; i++) row_sum[i % 4] = row_sum[i % 4] ^ data[i];
        full_compare = sum == 0 && row_sum == 0
            && ((rule[RuleWord__value__lsb +: 304] ^ tuple) & rule[RuleWord__mask__lsb +: 304]) == 0
            && data[RowData__valid__lsb] && !(data[RowData__pending__lsb] && !batch) && !(data[RowData__pending_clear__lsb] && batch)
            && now < data[RowData__not_after__lsb +: 44];
    endfunction
    logic offers_1 = 0, offers_2 = 0, offers_3 = 0, offers_4 = 0, offers_5 = 0;
    logic seconds_1 = 0, seconds_2 = 0, seconds_3 = 0, seconds_4 = 0, seconds_5 = 0;
    logic [623:0] first_word_2, second_word_2;
    logic [71:0] first_row_2, first_row_3, first_row_4, first_row_5;
    logic [71:0] second_row_2, second_row_3, second_row_4, second_row_5;
    logic first_agrees_3, first_agrees_4, first_agrees_5, second_agrees_3, second_agrees_4, second_agrees_5;
    logic first_lives_5, second_lives_5, first_receives_5, second_receives_5;
    always_ff @(posedge clock) begin
        {offers_5, offers_4, offers_3, offers_2, offers_1} <= {offers_4, offers_3, offers_2, offers_1, cells_first};
        {seconds_5, seconds_4, seconds_3, seconds_2, seconds_1} <= {seconds_4, seconds_3, seconds_2, seconds_1, cells_second};
        first_word_2 <= words_read_data_0;
        second_word_2 <= words_read_data_1;
        {first_row_5, first_row_4, first_row_3, first_row_2} <= {first_row_4, first_row_3, first_row_2, rows_read_data_0};
        {second_row_5, second_row_4, second_row_3, second_row_2} <= {second_row_4, second_row_3, second_row_2, rows_read_data_1};
        first_agrees_3 <= full_compare(first_word_2, first_row_2, compare_key, compare_tick, compare_committed);
        second_agrees_3 <= full_compare(second_word_2, second_row_2, compare_key, compare_tick, compare_committed);
        {first_agrees_5, first_agrees_4} <= {first_agrees_4, first_agrees_3};
        {second_agrees_5, second_agrees_4} <= {second_agrees_4, second_agrees_3};
        first_lives_5 <= compare_0_candidate[Candidate__live__lsb];
        second_lives_5 <= compare_1_candidate[Candidate__live__lsb];
        first_receives_5 <= compare_0_candidate[Candidate__destination__lsb];
        second_receives_5 <= compare_1_candidate[Candidate__destination__lsb];
    end
    wire finds = offers_5 && first_agrees_5, finds_second = seconds_5 && second_agrees_5;
    wire [HIT_BITS-1:0] content = {found__hit__match_index, found__hit__scope, found__hit__ring};
    always_comb begin
        // No access of the engine in a clock in which keys entered; both take four clocks to get here.
        assume (!(cells_first || cells_second) || (!erase && !reads_q[3] && !writes_q[3] && !word_writes_q[3]
            && !back_writes_q[3] && !gone_writes_q[3]));
        if (offers_4) assume (compare_0_candidate[Candidate__live__lsb] == first_agrees_4
            && compare_0_candidate[Candidate__row__lsb +: 72] == first_row_4);
        if (seconds_4) assume (compare_1_candidate[Candidate__live__lsb] == second_agrees_4
            && compare_1_candidate[Candidate__row__lsb +: 72] == second_row_4);

        // What is read is the candidate's rule. The second candidate has a port of its own, which has no other address.
        if (cells_first) given__first: assert (port_number == cells_first_number && words_read_enable_0 && rows_read_enable_0);
        if (cells_first || cells_second) given__quiet: assert (!words_write_enable && !rows_write_enable);
        given__stages: assert ((!offers_1 || compare_0_fetch) && (!offers_2 || compare_0_compare) && (!offers_3 || compare_0_judge));
        help__stages: assert (first_q == {offers_4, offers_3, offers_2, offers_1}
            && second_q == {seconds_4, seconds_3, seconds_2, seconds_1});
        if (offers_5) help__first: assert (first_lives_5 == first_agrees_5);
        if (seconds_5) help__second: assert (second_lives_5 == second_agrees_5);

        agrees__iff: assert (found__hit__valid == (finds || finds_second));
        if (finds) agrees__first: assert (content == first_row_5[HIT +: HIT_BITS] && found__hit__destination == first_receives_5);
        if (!finds && finds_second)
            agrees__second: assert (content == second_row_5[HIT +: HIT_BITS] && found__hit__destination == second_receives_5);
        if (!found__hit__valid) agrees__nothing: assert (content == 0);

        second_counts: cover (offers_5 && !first_agrees_5 && finds_second && found__hit__valid && content != 0);
        none_counts: cover (offers_5 && seconds_5 && !found__hit__valid && first_row_5[RowData__valid__lsb]);
    end
