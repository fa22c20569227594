    // What was told of the frame whose keys entered the rules so many clocks ago. Of tuple and tick one bit each is chosen.
    (* anyconst *) logic [8:0] tuple_bit;
    (* anyconst *) logic [5:0] tick_bit;
    logic there_1 = 0, there_2 = 0, there_3 = 0, there_4 = 0, there_5 = 0, there_6 = 0, there_7 = 0;
    logic tuple_1, tuple_2, tuple_3, tuple_4, tuple_5, tuple_6, tuple_7;
    logic [1:0] told_2, told_3, told_4, told_5, told_6, told_7;
    always_ff @(posedge clock) begin
        {there_7, there_6, there_5, there_4, there_3, there_2, there_1}
            <= {there_6, there_5, there_4, there_3, there_2, there_1, looked_up != 0};
        {tuple_7, tuple_6, tuple_5, tuple_4, tuple_3, tuple_2, tuple_1}
            <= {tuple_6, tuple_5, tuple_4, tuple_3, tuple_2, tuple_1, tuple_bit < 304 && tuple[tuple_bit]};
        {told_7, told_6, told_5, told_4, told_3, told_2}
            <= {told_6, told_5, told_4, told_3, told_2, committed, tick_bit < 44 && tick[tick_bit]};
    end
    always_comb begin
        if (there_7) begin
            carried__batch: assert (compared[RuleKey__committed__lsb] == told_7[1]);
            carried__tick: assert (tick_bit >= 44 || compared[RuleKey__tick__lsb + tick_bit] == told_7[0]);
            carried__tuple: assert (tuple_bit >= 304 || compared[RuleKey__key__lsb + tuple_bit] == tuple_7);
        end

        each_its_own: cover (there_7 && there_8 && compared[RuleKey__committed__lsb] && !committed_8 && !there_6 && there_5);
    end
    logic there_8 = 0, committed_8;
    always_ff @(posedge clock) begin
        there_8 <= there_7;
        committed_8 <= compared[RuleKey__committed__lsb];
    end
